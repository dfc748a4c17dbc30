/** A coordinator: opens a run, assembles its workers, trains, and leaves a complete run folder behind. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../shared/checkpoint/atomic-file.js';
import { piecewiseDigest } from '../shared/checkpoint/piecewise-digest.js';
import { configToYaml } from '../shared/config/config-file.js';
import type { RunConfig } from '../shared/config/schema.js';
import { scanDataset } from '../shared/dataset/dataset-scan.js';
import type { Manifest } from '../shared/dataset/manifest.js';
import { coded, reasonOf } from '../shared/errors.js';
import { Resources } from '../shared/resources.js';
import { startHttpServer } from '../shared/http/http-server.js';
import { modelSpec } from '../shared/model/model-spec.js';
import { parameterLayout } from '../shared/model/parameter-layout.js';
import { scheduleWarning, totalSteps } from '../shared/schedule/learning-rate.js';
import { VERSION } from '../shared/version.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { Cluster } from './cluster.js';
import { CoordinatorMetrics } from './coordinator-metrics.js';
import { allOf, type TrainingObserver } from './observer.js';
import { RunLog } from './run-log.js';
import { runRoutes } from './run-pages.js';
import { stepsPerEpoch } from './sampling.js';
import { CONFIG_FILE, startingPoint, type StartingPoint } from './starting-point.js';
import { readSummary, writeSummary, type RunSummary } from './run-summary.js';
import { agreedState } from './state-audit.js';
import { scheduleOf, train, type TrainingProgress } from './trainer.js';

export interface CoordinatorEvents {
  /** Workers may connect now. */
  onListening(addresses: { readonly workers: string; readonly http: string }, cluster: Cluster): void;
  readonly observer: Partial<TrainingObserver>;
  /** Something that the user should know and that does not end the run. */
  readonly warn: (text: string) => void;
  /** Asked between steps: a reason ends the run there, with a checkpoint. */
  readonly stopRequested: () => string | null;
}

/** How long workers may take to say goodbye. */
const GOODBYE_TIMEOUT_MS = 5000;

/** Runs `config` to its end. @throws a coded error; the newest checkpoint is kept */
export async function runCoordinator(config: RunConfig, events: CoordinatorEvents): Promise<RunSummary> {
  const manifest = await scanDataset(config.data, { exclude: config.exclude });
  const spec = modelSpec(config.model, { ...config, classes: manifest.classes.length });
  const layout = parameterLayout(spec);
  checkWorkers(config, manifest);
  const start = await startingPoint(config, manifest, spec, layout, events.warn);
  const perEpoch = stepsPerEpoch(manifest.train.samples.length, config.batch);
  const steps = totalSteps(config, perEpoch);
  const ended = start.state.ended ?? (start.state.step >= steps ? 'finished' : null);
  const summary = ended === null ? null : await readSummary(config.out);
  if (summary?.completed === true && summary.steps === start.state.step) {
    events.warn(`nothing to do: the run in ${config.out} has ended (${ended})`);
    return summary;
  }

  const now = (): number => performance.now();
  const metrics = new CoordinatorMetrics(basename(config.out), now);
  const watchers: Partial<TrainingObserver>[] = [metrics, events.observer];
  const observer = allOf(watchers);
  const resources = new Resources();
  const progress: TrainingProgress = { state: start.state, evaluation: null };
  const startedAtMs = now();
  const seconds = (): number => start.state.elapsedSeconds + (now() - startedAtMs) / 1000;
  let log: RunLog | null = null;
  // Opened late, closed last: workers that leave are still noted.
  resources.add(() => log?.close());
  try {
    // Addresses first: one in use must not leave a run folder behind.
    const cluster = await openCluster(config, manifest, start, observer);
    let stop = { clean: false, reason: 'the coordinator failed' };
    resources.add(async () => cluster.close(stop, GOODBYE_TIMEOUT_MS));
    const http = await startHttpServer(config.httpListen, runRoutes(cluster, metrics, basename(config.out)));
    resources.add(async () => http.close());
    mkdirSync(config.out, { recursive: true });
    log = new RunLog(config.out, now);
    watchers.unshift(log);

    const contents = { config, classes: manifest.classes, manifestDigest: manifest.digest };
    const checkpoints = new CheckpointKeeper(cluster, contents, layout, observer, seconds);
    const summarise = async (completed: boolean, reason: string): Promise<RunSummary> => {
      const input = { manifest, layout, progress, completed, reason, checkpoints, seconds: seconds() };
      return writeSummary(config, input);
    };
    const { stopRequested } = events;
    try {
      events.onListening({ workers: cluster.address, http: http.address }, cluster);
      if (!(await cluster.assemble(config.joinTimeoutMs, () => stopRequested() !== null))) {
        stop = { clean: true, reason: stopRequested() ?? 'stopped' };
        return await summarise(true, stop.reason);
      }
      await checkAgreement(cluster, config, start);
      await writeFileAtomic(join(config.out, CONFIG_FILE), configToYaml(config));
      warnOfSchedule(config, steps, events.warn);
      const { workers } = config;
      const backend = cluster.members[0]?.ready?.backend ?? '';
      const model = { name: spec.name, parameters: layout.length };
      const length = { steps, stepsPerEpoch: perEpoch, fromStep: start.state.step };
      observer.onStart({ version: VERSION, ...model, ...length, workers, backend });
      const run = { config, layout, manifest, cluster, checkpoints, observer, stopRequested, progress };
      stop = { clean: true, reason: await train(run) };
      return await summarise(true, stop.reason);
    } catch (error) {
      stop = { clean: false, reason: reasonOf(error) };
      await summarise(false, stop.reason);
      throw error;
    }
  } finally {
    await resources.release();
  }
}

function warnOfSchedule(config: RunConfig, steps: number, warn: (text: string) => void): void {
  const warning = scheduleWarning(scheduleOf(config, steps));
  if (warning !== null) warn(warning);
}

/** @throws TOO_MANY_WORKERS */
function checkWorkers({ workers, batch, microBatch }: RunConfig, manifest: Manifest): void {
  const microBatches = Math.ceil(Math.min(batch, manifest.train.samples.length) / microBatch);
  if (workers > microBatches) throw coded('TOO_MANY_WORKERS', { workers, microBatches });
}

/**
 * All workers compute alike and start from the same bits, a resumed run from those of its checkpoint.
 * @throws BACKEND_MISMATCH, STATE_MISMATCH
 */
async function checkAgreement(cluster: Cluster, config: RunConfig, start: StartingPoint): Promise<void> {
  const run = start.backend ?? cluster.members[0]?.ready?.backend ?? '';
  for (const { ready } of cluster.members) {
    const worker = ready?.backend ?? '';
    if (worker !== run) throw coded('BACKEND_MISMATCH', { worker, run });
  }
  const expected = new Map<string, string>();
  for (const [part, bytes] of start.parts)
    expected.set(part, Buffer.from(piecewiseDigest(bytes)).toString('hex'));
  await agreedState(cluster, start.state.step, config.stepTimeoutMs, expected);
}

async function openCluster(
  config: RunConfig,
  manifest: Manifest,
  start: StartingPoint,
  observer: TrainingObserver,
): Promise<Cluster> {
  const runToken = randomBytes(8).toString('hex');
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  return Cluster.open({
    listen: config.listen,
    workers: config.workers,
    heartbeatTimeoutMs: config.heartbeatTimeoutMs,
    welcome: (worker) => ({
      runToken,
      worker,
      configJson: JSON.stringify(config),
      manifestDigest: manifest.digest,
      classes: [...manifest.classes],
      step: start.state.step,
      pullParts: [...start.parts.keys()],
    }),
    offer: (part) => (part === 'manifest' ? manifestBytes : start.parts.get(part)),
    onEvent: (event) => observer.onClusterEvent(event),
    onUpdate: (worker, body) => observer.onUpdate(worker, body),
  });
}
