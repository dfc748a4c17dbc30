/** A coordinator: takes a run folder, assembles workers, trains, and leaves a complete run folder behind. */
import { basename, join } from 'node:path';
import { configToYaml } from '../shared/config/config-file.js';
import type { RunConfig } from '../shared/config/schema.js';
import { scanDataset } from '../shared/dataset/dataset-scan.js';
import type { Manifest } from '../shared/dataset/manifest.js';
import { coded, reasonOf, VitrailError } from '../shared/errors.js';
import { Resources } from '../shared/resources.js';
import { startHttpServer } from '../shared/http/http-server.js';
import { modelSpec } from '../shared/model/model-spec.js';
import { parameterLayout } from '../shared/model/parameter-layout.js';
import { scheduleWarning, totalSteps } from '../shared/schedule/learning-rate.js';
import { VERSION } from '../shared/version.js';
import { Assembly } from './assembly.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { Cluster } from './cluster.js';
import { CoordinatorMetrics } from './coordinator-metrics.js';
import { Journal } from './journal.js';
import { allOf, type TrainingObserver } from './observer.js';
import { openRun, type RunOpening } from './run-opening.js';
import type { DiskWait } from './disk-space.js';
import { writeRunFile } from './run-file.js';
import { RunLock } from './run-lock.js';
import { RunLog } from './run-log.js';
import { runRoutes } from './run-pages.js';
import { stepsPerEpoch } from './sampling.js';
import { CONFIG_FILE } from './starting-point.js';
import { readSummary, writeSummary, type RunSummary } from './run-summary.js';
import { StateDiscredited } from './state-audit.js';
import { StepRunner } from './step-runner.js';
import { scheduleOf, train, type TrainingEnd, type TrainingProgress } from './trainer.js';

export interface CoordinatorEvents {
  /** Workers may connect now. */
  onListening(addresses: { readonly workers: string; readonly http: string }, cluster: Cluster): void;
  readonly observer: Partial<TrainingObserver>;
  /** Something that the user should know and that does not end the run. */
  readonly warn: (text: string) => void;
  /** Asked between steps: a reason ends the run there, with a checkpoint. */
  readonly stopRequested: () => string | null;
  /** All workers are children of this process: those of a coordinator before it are gone. */
  readonly ownWorkers: boolean;
}

/** How long workers may take to say goodbye. */
const GOODBYE_TIMEOUT_MS = 5000;
/** Events on the status page. */
const SHOWN_EVENTS = 10;
/** Heartbeats before a silent worker is suspected. */
const BEATS_BEFORE_SUSPICION = 4;

/** Runs `config` to its end. @throws a coded error; the newest checkpoint is kept */
export async function runCoordinator(config: RunConfig, events: CoordinatorEvents): Promise<RunSummary> {
  const manifest = await scanDataset(config.data, { exclude: config.exclude });
  checkWorkers(config, manifest);
  const lock = RunLock.take(config.out);
  try {
    return await runLocked(config, manifest, events);
  } finally {
    lock.release();
  }
}

async function runLocked(
  config: RunConfig,
  manifest: Manifest,
  events: CoordinatorEvents,
): Promise<RunSummary> {
  const spec = modelSpec(config.model, { ...config, classes: manifest.classes.length });
  const layout = parameterLayout(spec);
  const { warn, stopRequested } = events;
  const material = { config, manifest, spec, layout, warn };
  const opening = await openRun(material, events.ownWorkers);
  const perEpoch = stepsPerEpoch(manifest.train.samples.length, config.batch);
  const steps = totalSteps(config, perEpoch);
  const ended = opening.state.ended ?? (opening.state.step >= steps ? 'finished' : null);
  const summary = ended === null ? null : await readSummary(config.out);
  if (summary?.completed === true && summary.steps === opening.state.step) {
    warn(`nothing to do: the run in ${config.out} has ended (${ended})`);
    return summary;
  }

  const now = (): number => performance.now();
  const metrics = new CoordinatorMetrics(basename(config.out), now);
  const watchers: Partial<TrainingObserver>[] = [metrics, events.observer];
  const observer = allOf(watchers);
  const resources = new Resources();
  const progress: TrainingProgress = {
    state: opening.state,
    evaluation: null,
    lastCommit: opening.lastCommit,
    saved: opening.saved,
    agreed: opening.start?.state.step ?? Math.max(0, opening.saved),
  };
  const startedAtMs = now();
  const seconds = (): number => opening.state.elapsedSeconds + (now() - startedAtMs) / 1000;
  let log: RunLog | null = null;
  let journal: Journal | null = null;
  // Opened late, closed last: workers that leave are still noted.
  resources.add(async () => {
    log?.close();
    await journal?.close();
  });
  try {
    // Addresses first: one in use must not leave a run folder behind.
    const assembly = new Assembly(material, opening, progress);
    const cluster = await openCluster(config, manifest, opening, assembly, observer);
    let stop = { clean: false, reason: 'the coordinator failed' };
    resources.add(async () => cluster.close(stop, GOODBYE_TIMEOUT_MS));
    const interrupted = (): boolean => stopRequested() !== null;
    const diskWait: DiskWait = {
      onFull: (path) => {
        cluster.note({
          kind: 'disk-full',
          text: `no space left to write ${path}: waiting until there is some`,
        });
      },
      interrupted,
    };
    const { generation } = opening;
    const trainSamples = manifest.train.samples.length;
    const common = { cluster, config, layout, trainSamples, perEpoch, interrupted };
    const runner = new StepRunner({ ...common, generation });
    const sources = {
      progress,
      speeds: () => runner.speeds,
      events: () => journal?.lastEvents(SHOWN_EVENTS) ?? [],
    };
    const routes = runRoutes(cluster, metrics, basename(config.out), sources);
    const http = await startHttpServer(config.httpListen, routes);
    resources.add(async () => http.close());
    log = new RunLog(config.out, now);
    journal = await Journal.begin(
      config.out,
      opening.record({ address: cluster.address, httpAddress: http.address }),
      opening.journal,
      diskWait,
    );
    const written = journal;
    watchers.unshift(log, {
      onClusterEvent: ({ kind, worker, text }) => written.event(kind, worker ?? null, text),
      onUpdate: (_worker, body) => cluster.history.noteUpdate(body),
    });

    const contents = { config, classes: manifest.classes, manifestDigest: manifest.digest };
    const checkpoints = new CheckpointKeeper(cluster, contents, layout, observer, seconds);
    const summarise = async (completed: boolean, reason: string): Promise<RunSummary> => {
      const input = { manifest, layout, progress, completed, reason, checkpoints, seconds: seconds() };
      return writeSummary(config, input, diskWait);
    };
    try {
      events.onListening({ workers: cluster.address, http: http.address }, cluster);
      const tools = { cluster, journal, interrupted };
      const run = { config, layout, manifest, cluster, checkpoints, journal, observer, runner, seconds };
      const stopped = { kind: 'ended', reason: 'stopped' } as const;
      for (;;) {
        try {
          let end: TrainingEnd = stopped;
          if (await assembly.complete(tools)) {
            await writeRunFile(join(config.out, CONFIG_FILE), configToYaml(config), diskWait);
            warnOfSchedule(config, steps, warn);
            const backend = cluster.ready[0]?.ready?.backend ?? '';
            const model = { name: spec.name, parameters: layout.length };
            const { state, saved } = progress;
            const length = { steps, stepsPerEpoch: perEpoch, fromStep: state.step, saved };
            const workers = cluster.members.length;
            observer.onStart({ version: VERSION, ...model, ...length, workers, backend });
            end = await train({ ...run, diskWait, stopRequested, progress });
          }
          if (end.kind === 'ended') {
            stop = { clean: true, reason: end === stopped ? (stopRequested() ?? 'stopped') : end.reason };
            // A crash between the two: the same command finds all done.
            const summary = await summarise(true, stop.reason);
            await journal.end(stop.reason, true);
            return summary;
          }
          await assembly.takeOver(tools);
        } catch (error) {
          if (!isStateGone(error)) throw error;
          await assembly.goBack(tools, error);
        }
      }
    } catch (error) {
      stop = { clean: false, reason: reasonOf(error) };
      // Their own failure to be written is no news, or less than what is being thrown.
      await journal.end(stop.reason, false).catch(() => undefined);
      await summarise(false, stop.reason).catch(() => undefined);
      throw error;
    }
  } finally {
    await resources.release();
  }
}

/** Whether the run has to go back to a checkpoint. */
function isStateGone(error: unknown): error is Error {
  return error instanceof StateDiscredited || (error instanceof VitrailError && error.code === 'STATE_LOST');
}

function warnOfSchedule(config: RunConfig, steps: number, warn: (text: string) => void): void {
  const warning = scheduleWarning(scheduleOf(config, steps));
  if (warning !== null) warn(warning);
}

function microBatchesOfStep({ batch, microBatch }: RunConfig, manifest: Manifest): number {
  return Math.ceil(Math.min(batch, manifest.train.samples.length) / microBatch);
}

/** @throws TOO_MANY_WORKERS */
function checkWorkers(config: RunConfig, manifest: Manifest): void {
  const { workers } = config;
  const microBatches = microBatchesOfStep(config, manifest);
  if (workers > microBatches) throw coded('TOO_MANY_WORKERS', { workers, microBatches });
}

async function openCluster(
  config: RunConfig,
  manifest: Manifest,
  opening: RunOpening,
  assembly: Assembly,
  observer: TrainingObserver,
): Promise<Cluster> {
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const { suspectAfterMs, heartbeatTimeoutMs } = config;
  return Cluster.open({
    listen: opening.listen,
    maxWorkers: config.maxWorkers ?? microBatchesOfStep(config, manifest),
    minWorkers: config.minWorkers ?? 1,
    firstWorker: opening.nextWorker,
    suspectAfterMs,
    heartbeatTimeoutMs,
    welcome: {
      configJson: JSON.stringify(config),
      manifestDigest: manifest.digest,
      classes: [...manifest.classes],
      heartbeatMs: Math.max(20, Math.floor(suspectAfterMs / BEATS_BEFORE_SUSPICION)),
    },
    position: () => assembly.position(),
    refuses: (ready) => assembly.refuses(ready),
    offer: (part) => (part === 'manifest' ? manifestBytes : assembly.offer(part)),
    onEvent: (event) => observer.onClusterEvent(event),
    onUpdate: (worker, body) => observer.onUpdate(worker, body),
  });
}
