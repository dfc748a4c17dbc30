/**
 * The configurations of simulated runs. They are small, and together they take every path through the
 * training loop.
 */
import { createHash } from 'node:crypto';
import type { RunSubject } from '../coordinator/coordinator.js';
import { resolveConfig, type OptionValues } from '../run/config/config.js';
import type { SplitManifest } from '../run/dataset/manifest.js';
import { PAPER_FEATURES } from '../run/model/model-features.js';
import type { ModelSpec } from '../run/model/model-spec.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import type { History } from './history.js';

export const RUN_FOLDER = 'run';
export const COORDINATOR_ADDRESS = 'tcp://host-coordinator:7000';

const CLASSES = ['cat', 'dog', 'owl'];
const SPEC: ModelSpec = {
  name: 'vit-micro/1',
  layers: 1,
  hidden: 2,
  mlp: 2,
  heads: 1,
  patch: 1,
  imageSize: 1,
  classes: CLASSES.length,
  preLogits: 0,
  gelu: 'tanh',
  ...PAPER_FEATURES,
};
const LAYOUT = parameterLayout(SPEC);

/** Two steps in an epoch, the second one smaller. */
const BATCH = 4;
const TRAIN = 7;

/**
 * Variants of the options that change the weights; a run has one of them: two epochs, a moving average, a
 * test at the end.
 */
const TRAINED: readonly { readonly options: OptionValues; readonly val: number; readonly test: number }[] = [
  { options: { epochs: 2, optimizer: 'sgd' }, val: 0, test: 5 },
  { options: { epochs: 2, optimizer: 'adamw', emaDecay: 0.5, clipNorm: 1 }, val: 4, test: 5 },
  { options: { steps: 3, optimizer: 'adamw', earlyStopPatience: 5 }, val: 0, test: 3 },
];

function split(name: string, count: number): SplitManifest {
  const samples = Array.from({ length: count }, (_, i) => ({
    path: `${name}/${i}.png`,
    bytes: 1,
    label: i % CLASSES.length,
  }));
  return { samples, digest: createHash('sha256').update(JSON.stringify(samples)).digest('hex') };
}

/** The runs of each variant, resolved once: a history changes a few options of its own. */
const SUBJECTS: readonly RunSubject[] = TRAINED.map(({ options, val, test }) => {
  const config = resolveConfig({
    flags: {
      ...options,
      model: 'vit-micro/8',
      imageSize: 8,
      data: 'images',
      out: RUN_FOLDER,
      batch: BATCH,
      microBatch: 1,
      seed: 7,
      lr: 0.05,
      warmupSteps: 0,
      backend: 'cpu',
      listen: COORDINATOR_ADDRESS,
      httpListen: 'host-coordinator:7001',
      maxWorkers: 2 * BATCH,
      suspectAfterMs: 4000,
      heartbeatTimeoutMs: 8000,
      stepTimeoutMs: 10_000,
      ringTimeoutMs: 3000,
      joinTimeoutMs: 40_000,
    },
  });
  const splits = { train: split('train', TRAIN), val: split('val', val), test: split('test', test) };
  const digest = createHash('sha256').update(JSON.stringify(splits)).digest('hex');
  return { config, manifest: { classes: CLASSES, ...splits, digest }, spec: SPEC, layout: LAYOUT };
});

/** The run of `history`. @param resume whether a person starts it again with `--resume` */
export function subjectOf(history: History, resume: boolean): RunSubject {
  const { workers, minWorkers, checkpointEverySteps, auditEverySteps } = history;
  const subject = SUBJECTS[history.variant]!;
  const config = Object.assign({}, subject.config, {
    resume,
    workers,
    minWorkers,
    checkpointEverySteps,
    auditEverySteps,
  } satisfies Partial<RunSubject['config']>);
  return Object.assign({}, subject, { config });
}
