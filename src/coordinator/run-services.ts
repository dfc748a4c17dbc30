/** Opens everything that a coordinator needs during a run: the cluster, its pages, journal and log. */
import { basename, resolve } from 'node:path';
import type { RunConfig } from '../run/config/schema.js';
import { choosingSplit, type Manifest } from '../run/dataset/manifest.js';
import type { Body } from '../wire/codec.js';
import type { Resources } from '../host/resources.js';
import { totalSteps } from '../run/schedule/run-length.js';
import { Rendezvous } from './recovery/rendezvous.js';
import { CheckpointKeeper } from './checkpoint-keeper.js';
import { Cluster } from './cluster.js';
import { CoordinatorMetrics } from './watch/coordinator-metrics.js';
import type { ClusterEvent } from './members/cluster-event.js';
import type { DiskWait } from '../host/disk-space.js';
import { trainedLayout } from '../run/model/trained-parameters.js';
import { Journal } from '../run/journal/journal.js';
import type { JournalOpen } from '../run/journal/journal-format.js';
import { LateObserver } from './watch/late-observer.js';
import { allOf, type TrainingObserver } from './watch/observer.js';
import type { Member } from './members/membership.js';
import { ringAddressProblem } from './step/ring-addresses.js';
import type { RunLease } from '../run/lease/run-lease.js';
import { RunLog } from './watch/run-log.js';
import type { RunDefinition, RunOpening } from './recovery/run-opening.js';
import { runRoutes, type RunStatus } from './watch/run-pages.js';
import { stepsPerEpoch } from './step/sampling.js';
import { StepRunner } from './step-runner.js';
import type { TrainingProgress } from './trainer.js';

export interface RunServices {
  readonly cluster: Cluster;
  readonly httpAddress: string;
  readonly rendezvous: Rendezvous;
  readonly journal: Journal;
  readonly checkpoints: CheckpointKeeper;
  readonly runner: StepRunner;
  readonly observer: TrainingObserver;
  readonly progress: TrainingProgress;
  readonly diskWait: DiskWait;
  /** True ends a wait. */
  readonly interrupted: () => boolean;
  /** Time of training so far, resumptions added up. */
  readonly seconds: () => number;
}

export interface ServiceOptions {
  readonly observer: Partial<TrainingObserver>;
  readonly interrupted: () => boolean;
  /** Of the run folder. */
  readonly lease: RunLease;
  /** What workers are told when all is closed. */
  readonly stop: () => Body<'stop'>;
}

/** How long workers may take to say goodbye. */
const GOODBYE_TIMEOUT_MS = 5000;
/** How many events the status page shows. */
const SHOWN_EVENTS = 10;
/** How many heartbeats fit into the time after which a silent worker is suspected. */
const BEATS_BEFORE_SUSPICION = 4;

export function microBatchesOfStep({ batch, microBatch }: RunConfig, manifest: Manifest): number {
  return Math.ceil(Math.min(batch, manifest.train.samples.length) / microBatch);
}

export function runLength(
  config: RunConfig,
  manifest: Manifest,
): { readonly steps: number; readonly perEpoch: number } {
  const perEpoch = stepsPerEpoch(manifest.train.samples.length, config.batch);
  return { steps: totalSteps(config, perEpoch), perEpoch };
}

/** Opens everything; `resources` closes it. @throws PORT_IN_USE, ADDRESS_INVALID, *_WRITE_FAILED */
export async function openServices(
  definition: RunDefinition,
  opening: RunOpening,
  { observer: watcher, interrupted, lease, stop }: ServiceOptions,
  resources: Resources,
): Promise<RunServices> {
  const { host, config, manifest, spec, layout, check } = definition;
  const { clock } = host;
  const now = (): number => clock.now();
  const metrics = new CoordinatorMetrics(basename(config.out), now);
  const record = new LateObserver();
  const observer = allOf([record, metrics, watcher]);
  const progress: TrainingProgress = {
    state: opening.state,
    evaluation: null,
    final: null,
    lastCommit: opening.lastCommit,
    saved: opening.saved,
    agreed: opening.start?.state.step ?? Math.max(0, opening.saved),
  };
  const startedAtMs = now();
  const seconds = (): number => opening.state.elapsedSeconds + (now() - startedAtMs) / 1000;
  const written: { log?: RunLog; journal?: Journal; open?: JournalOpen } = {};
  // Closed last, although it is opened late, so that workers that leave are still noted.
  resources.add(async () => {
    await written.log?.close();
    await written.journal?.close();
  });

  // Addresses come first, because an address in use must not leave a run folder behind.
  const rendezvous = new Rendezvous(definition, opening, progress);
  const cluster = await openCluster(definition, opening, rendezvous, observer);
  resources.add(async () => cluster.close(stop(), GOODBYE_TIMEOUT_MS));
  lease.onLost((error) => cluster.fail(error));
  const onFull = (path: string): void => {
    const text = `no space left to write ${path}: waiting until there is some`;
    cluster.note({ kind: 'disk-full', text });
  };
  const diskWait: DiskWait = { clock, onFull, interrupted, check };
  const { generation } = opening;
  const { perEpoch } = runLength(config, manifest);
  const trainSamples = manifest.train.samples.length;
  const trained = trainedLayout(layout, config.freeze);
  const common = { cluster, config, layout: trained, trainSamples, perEpoch, interrupted };
  const runner = new StepRunner({ ...common, generation });
  const sources = {
    progress,
    speeds: () => runner.speeds,
    coordinator: () => identityOf(written.open),
    events: () => written.journal?.lastEvents(SHOWN_EVENTS) ?? [],
  };
  const routes = runRoutes(cluster, metrics, basename(config.out), sources);
  const http = await host.servePages(config.httpListen, routes);
  resources.add(async () => http.close());
  const log = await RunLog.open(host, config.out, async () => lease.isHeld());
  written.log = log;
  const addresses = { address: cluster.address, httpAddress: http.address };
  const begun = opening.record(addresses);
  written.open = begun;
  const journal = await Journal.begin(host, config.out, begun, opening.journal, diskWait);
  written.journal = journal;
  record.begin(
    allOf([
      log,
      {
        onClusterEvent: ({ kind, worker, text }) => journal.event(kind, worker ?? null, text),
      },
    ]),
  );
  const { classes, digest: manifestDigest } = manifest;
  const contents = { config, spec, classes, manifestDigest, chosenBy: choosingSplit(manifest) };
  const checkpoints = new CheckpointKeeper(host, cluster, contents, layout, observer, seconds, check);
  const services = { cluster, rendezvous, journal, checkpoints, runner, observer, progress };
  return { ...services, httpAddress: http.address, diskWait, interrupted, seconds };
}

/** Before the journal is open, nobody can have read it. */
function identityOf(open: JournalOpen | undefined): RunStatus['coordinator'] {
  const { host = '', pid = 0, time = '' } = open ?? {};
  return { host, pid, time };
}

/**
 * Absolute paths, by which a worker finds a file whatever folder it was started in, if its machine has the
 * file.
 */
function configForWorkers(config: RunConfig): RunConfig {
  const { data, productChoices } = config;
  return {
    ...config,
    data: resolve(data),
    productChoices: productChoices === null ? null : resolve(productChoices),
  };
}

/** Reports an event to the observers, and also what follows from it for the ring. */
function noteEvent(event: ClusterEvent, observer: TrainingObserver, members: readonly Member[]): void {
  observer.onClusterEvent(event);
  const { kind, worker } = event;
  if (kind !== 'ready' || worker === undefined) return;
  const text = ringAddressProblem(worker, members);
  if (text !== null) observer.onClusterEvent({ kind: 'unreachable', worker, text });
}

async function openCluster(
  { host, config, manifest }: RunDefinition,
  opening: RunOpening,
  rendezvous: Rendezvous,
  observer: TrainingObserver,
): Promise<Cluster> {
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const { suspectAfterMs, heartbeatTimeoutMs } = config;
  // Workers may join before everything is open.
  const opened: { cluster?: Cluster } = {};
  const cluster = await Cluster.open({
    clock: host.clock,
    network: host.network,
    hostName: host.process.hostName,
    listen: opening.listen,
    maxWorkers: config.maxWorkers ?? microBatchesOfStep(config, manifest),
    minWorkers: config.minWorkers ?? 1,
    firstWorker: opening.nextWorker,
    suspectAfterMs,
    heartbeatTimeoutMs,
    welcome: {
      configJson: JSON.stringify(configForWorkers(config)),
      manifestDigest: manifest.digest,
      classes: [...manifest.classes],
      heartbeatMs: Math.max(20, Math.floor(suspectAfterMs / BEATS_BEFORE_SUSPICION)),
    },
    position: () => rendezvous.position(),
    refuses: (ready) => rendezvous.refuses(ready),
    offer: (part) => (part === 'manifest' ? manifestBytes : rendezvous.offer(part)),
    onEvent: (event) => noteEvent(event, observer, opened.cluster?.members ?? []),
    onUpdate: (worker, body) => observer.onUpdate(worker, body),
  });
  opened.cluster = cluster;
  return cluster;
}
