/** A coordinator: opens a run, assembles its workers, trains, and leaves a complete run folder behind. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeFileAtomic } from '../shared/checkpoint/atomic-file.js';
import { configToYaml } from '../shared/config/config-file.js';
import type { RunConfig } from '../shared/config/schema.js';
import { scanDataset } from '../shared/dataset/dataset-scan.js';
import type { Manifest } from '../shared/dataset/manifest.js';
import { coded } from '../shared/errors.js';
import { startHttpServer, type HttpServer } from '../shared/http/http-server.js';
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
import { writeSummary, type RunSummary } from './run-summary.js';
import { scheduleOf, train, type TrainingEnd } from './trainer.js';

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
  mkdirSync(config.out, { recursive: true });
  await writeFileAtomic(join(config.out, CONFIG_FILE), configToYaml(config));

  const now = (): number => performance.now();
  const log = new RunLog(config.out, now);
  const metrics = new CoordinatorMetrics(basename(config.out), now);
  const observer = allOf([log, metrics, events.observer]);
  const cluster = await openCluster(config, manifest, start, observer);
  let http: HttpServer | null = null;
  const startedAtMs = now();
  const elapsedSeconds = (): number => start.state.elapsedSeconds + (now() - startedAtMs) / 1000;
  const checkpoints = new CheckpointKeeper(
    cluster,
    { config, classes: manifest.classes, manifestDigest: manifest.digest },
    layout,
    observer,
    elapsedSeconds,
  );
  const summarise = async (end: TrainingEnd | null, reason: string): Promise<RunSummary> =>
    writeSummary(config, {
      manifest,
      layout,
      start: start.state,
      end,
      reason,
      checkpoints,
      seconds: elapsedSeconds(),
    });

  try {
    http = await startHttpServer(config.httpListen, runRoutes(cluster, metrics, basename(config.out)));
    events.onListening({ workers: cluster.address, http: http.address }, cluster);
    await cluster.assemble(config.joinTimeoutMs);
    checkAgreement(cluster);
    const perEpoch = stepsPerEpoch(manifest.train.samples.length, config.batch);
    warnOfSchedule(config, totalSteps(config, perEpoch), events.warn);
    observer.onStart({
      version: VERSION,
      name: spec.name,
      steps: totalSteps(config, perEpoch),
      stepsPerEpoch: perEpoch,
      fromStep: start.state.step,
      workers: config.workers,
      backend: cluster.members[0]?.ready?.backend ?? '',
      parameters: layout.length,
    });
    const run = {
      config,
      layout,
      manifest,
      cluster,
      checkpoints,
      observer,
      stopRequested: events.stopRequested,
    };
    const end = await train(run, start.state);
    await cluster.close({ clean: true, reason: end.reason }, GOODBYE_TIMEOUT_MS);
    return await summarise(end, end.reason);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await cluster.close({ clean: false, reason }, GOODBYE_TIMEOUT_MS);
    await summarise(null, reason);
    throw error;
  } finally {
    await http?.close();
    log.close();
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

/** All workers compute alike and start from the same bits. @throws BACKEND_MISMATCH, DIGEST_MISMATCH */
function checkAgreement(cluster: Cluster): void {
  const [first, ...others] = cluster.members.map((m) => ({ worker: m.worker, ready: m.ready! }));
  for (const { worker, ready } of others) {
    if (ready.backend !== first!.ready.backend) {
      throw coded('BACKEND_MISMATCH', { worker: ready.backend, run: first!.ready.backend });
    }
    if (Buffer.compare(ready.weightsDigest, first!.ready.weightsDigest) !== 0) {
      throw coded('DIGEST_MISMATCH', { worker, step: ready.step });
    }
  }
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
      ringTransport: config.ringTransport,
    }),
    offer: (part) => (part === 'manifest' ? manifestBytes : start.parts.get(part)),
    onEvent: (event) => observer.onClusterEvent(event),
    onUpdate: (worker, body) => observer.onUpdate(worker, body),
  });
}
