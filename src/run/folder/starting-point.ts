/** Finds where a run starts: from its seed, from another run's weights, or where it stopped. */
import { join } from 'node:path';
import { listCheckpoints, newestVerified, writeBest } from '../checkpoint/checkpoint-store.js';
import { kindOf, readCheckpoint, verifyCheckpoint } from '../checkpoint/checkpoint-reader.js';
import { requireSameRun } from '../config/run-identity.js';
import type { RunConfig } from '../config/schema.js';
import { choosingSplit, type Manifest } from '../dataset/manifest.js';
import { coded, reasonOf, type VitrailError } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import type { ModelSpec } from '../model/model-spec.js';
import type { ParameterLayout } from '../model/parameter-layout.js';
import { trainedLayout } from '../model/trained-parameters.js';
import { initialWeights } from './initial-weights.js';
import { storedRun, type StoredRun } from './run-checkpoint.js';
import { initialRunState, type RunState } from '../journal/run-state.js';

export interface StartingPoint {
  readonly state: RunState;
  /** The state that workers pull, by part. If it is empty, they initialise from the seed. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
  /** The backend that a resumed run was computed with; null for a new run. */
  readonly backend: string | null;
  readonly fromCheckpoint: boolean;
  /** Of the weights of `--init-from`, as far as it is known; null also for a run from the seed. */
  readonly initDigest: string | null;
}

type Warn = (text: string) => void;

/** The file that marks a folder as a run's. */
export const CONFIG_FILE = 'config.yaml';

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The inputs from which a starting point follows. */
export interface StartInput {
  readonly host: Pick<Host, 'clock' | 'disk' | 'process'>;
  readonly config: RunConfig;
  readonly manifest: Manifest;
  readonly spec: ModelSpec;
  readonly layout: ParameterLayout;
  readonly warn: Warn;
  /** Throws if the run folder belongs to another process by now. */
  readonly check: () => Promise<void>;
}

/** @throws RUN_EXISTS, RUN_LENGTH_CHANGED, RUN_CONFIG_CHANGED, RUN_DATA_CHANGED, CHECKPOINT_*, WEIGHTS_*, HUB_NOT_CACHED */
export async function startingPoint(input: StartInput): Promise<StartingPoint> {
  const { config, spec, layout, warn } = input;
  const { clock, disk } = input.host;
  const exists = (await kindOf(disk, join(config.out, CONFIG_FILE))) !== null;
  if (config.resume) {
    if (!exists) throw coded('CHECKPOINT_NOT_FOUND', { path: config.out });
    const resumed = await resume(input);
    if (resumed !== null) return resumed;
    warn(`${config.out} holds no checkpoint yet: starting from the beginning`);
  } else if (exists) {
    throw coded('RUN_EXISTS', { path: config.out });
  }
  const state = initialRunState(trainedLayout(layout, config.freeze).slots.length);
  const anew = { state, backend: null, fromCheckpoint: false };
  if (config.initFrom === null) return { ...anew, parts: new Map(), initDigest: null };
  const target = { config, spec, classes: input.manifest.classes, warn };
  const { weights, digest } = await initialWeights({ clock, disk }, config.initFrom, target);
  if (config.initDigest !== null && config.initDigest !== digest) {
    throw coded('WEIGHTS_CHANGED', { path: config.initFrom, found: digest, expected: config.initDigest });
  }
  return { ...anew, parts: new Map([['weights', bytesOf(weights)]]), initDigest: digest };
}

/** The error of a run folder whose checkpoints were all rejected. One that cannot be read now may be whole. */
function noneVerifies(runDir: string, rejected: readonly VitrailError[]): VitrailError {
  const unreadable = rejected.find(({ code }) => code === 'CHECKPOINT_UNREADABLE');
  return unreadable ?? coded('CHECKPOINT_CORRUPT', { path: runDir, problem: 'no checkpoint verifies' });
}

async function resume({
  host,
  config,
  manifest,
  layout,
  warn,
  check,
}: StartInput): Promise<StartingPoint | null> {
  const { disk } = host;
  const rejected: VitrailError[] = [];
  const newest = await newestVerified(disk, config.out, (path, error) => {
    rejected.push(error);
    warn(`falling back to an older checkpoint: ${path} does not verify: ${error.problem}`);
  });
  if (newest === null) {
    // Starting over without a word would throw away what a person could still rescue from the damaged ones.
    if (rejected.length > 0) throw noneVerifies(config.out, rejected);
    return null;
  }
  const { path } = newest;
  const stored = storedRun(path, newest.state);
  requireSameRun(config.out, stored.config, config, stored.run.step);
  if (stored.manifestDigest !== manifest.digest) {
    throw coded('RUN_DATA_CHANGED', {
      path: config.out,
      stored: stored.manifestDigest,
      given: manifest.digest,
    });
  }
  // A crash may have come after a checkpoint and before it was named the best.
  const { best } = stored.run;
  if (best?.step === stored.run.step) {
    const metric = `${choosingSplit(manifest)}-accuracy`;
    await writeBest(host, config.out, { step: best.step, metric, value: best.accuracy }, check);
  }
  return startFrom(disk, path, stored, layout);
}

async function startFrom(
  disk: Disk,
  path: string,
  stored: StoredRun,
  layout: ParameterLayout,
): Promise<StartingPoint> {
  const { weights, slots } = await readCheckpoint(
    disk,
    path,
    layout,
    trainedLayout(layout, stored.config.freeze),
  );
  const parts = new Map([['weights', bytesOf(weights)]]);
  for (const [name, array] of Object.entries(slots)) parts.set(name, bytesOf(array));
  const { run: state, backend, config } = stored;
  return { state, parts, backend, fromCheckpoint: true, initDigest: config.initDigest };
}

/** The run's checkpoint after `step` steps; null, with a warning, if it cannot be read. */
export async function checkpointAt(
  disk: Disk,
  runDir: string,
  step: number,
  layout: ParameterLayout,
  warn: Warn,
): Promise<StartingPoint | null> {
  try {
    const path = (await listCheckpoints(disk, runDir)).find((listed) => listed.step === step)?.path;
    if (path === undefined) throw coded('CHECKPOINT_NOT_FOUND', { path: `${runDir} (step ${step})` });
    const { state } = await verifyCheckpoint(disk, path);
    return await startFrom(disk, path, storedRun(path, state), layout);
  } catch (error) {
    warn(`the checkpoint of step ${step} is not tested: ${reasonOf(error)}`);
    return null;
  }
}
