/** The coordinator: takes a run folder, waits for workers, trains, and leaves a complete run folder behind. */
import { join } from 'node:path';
import { tooManyWorkers } from '../run/config/config-checks.js';
import { configToYaml } from '../run/config/config-file.js';
import { scanOptionsOf } from '../run/config/scan-options.js';
import type { RunConfig } from '../run/config/schema.js';
import { scanDataset } from '../run/dataset/dataset-scan.js';
import { hasFinalTest, type Manifest } from '../run/dataset/manifest.js';
import { reasonOf, VitrailError } from '../errors/errors.js';
import { modelSpec } from '../run/model/model-spec.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import type { Host } from '../host/host.js';
import { Resources } from '../host/resources.js';
import { scheduleWarning } from '../run/schedule/learning-rate.js';
import { VERSION } from '../host/version.js';
import type { Cluster } from './cluster.js';
import type { DiskWait } from '../host/disk-space.js';
import type { TrainingObserver } from './watch/observer.js';
import { finalTest } from './final-test.js';
import { afterProlongation, newestStep, prolonged } from '../run/folder/prolongation.js';
import { takeOverFiles, writeRunFile } from '../run/folder/run-file.js';
import { batchNote } from './watch/batch-note.js';
import { choiceNote } from './watch/choice-note.js';
import { RunLease } from '../run/lease/run-lease.js';
import { openRun, type RunDefinition, type RunOpening } from './recovery/run-opening.js';
import { microBatchesOfStep, openServices, runLength, type RunServices } from './run-services.js';
import { readSummary, type RunSummary } from '../run/folder/run-summary.js';
import { writeSummary } from './watch/run-summary.js';
import { CONFIG_FILE } from '../run/folder/starting-point.js';
import { StateDiscredited } from './recovery/state-audit.js';
import { scheduleAt, train } from './trainer.js';

export interface CoordinatorEvents {
  /** Workers may connect now. */
  onListening(addresses: { readonly workers: string; readonly http: string }, cluster: Cluster): void;
  readonly observer: Partial<TrainingObserver>;
  /** Called with a warning for the user. It does not end the run. */
  readonly warn: (text: string) => void;
  /** Why the run should stop, or null. It ends with a checkpoint of its last committed step; work under way is called off. */
  readonly stopRequested: () => string | null;
  /** Whether all workers are children of this process. Then those of an earlier coordinator are gone. */
  readonly ownWorkers: boolean;
}

/** The subject of training: the options, the images, and the model that follows from both. */
export type RunSubject = Pick<RunDefinition, 'config' | 'manifest' | 'spec' | 'layout'>;

/** Runs `config` to its end. @throws a coded error; the newest checkpoint is kept */
export async function runCoordinator(
  host: Host,
  config: RunConfig,
  events: CoordinatorEvents,
): Promise<RunSummary> {
  const manifest = await scanDataset(config.data, { ...scanOptionsOf(config), say: events.warn });
  const spec = modelSpec(config.model, { ...config, classes: manifest.classes.length });
  return runOn(host, { config, manifest, spec, layout: parameterLayout(spec) }, events);
}

/**
 * As `runCoordinator`, for images that are listed already.
 */
export async function runOn(host: Host, subject: RunSubject, events: CoordinatorEvents): Promise<RunSummary> {
  const { config, manifest } = subject;
  checkWorkers(config, manifest);
  for (const note of [choiceNote(config, manifest), batchNote(config.batch, manifest.train.samples.length)])
    if (note !== null) events.warn(note);
  const lease = await RunLease.take(host, config.out, {
    stopRequested: events.stopRequested,
    onWatch: (owner, forMs) => {
      const seconds = Math.round(forMs / 1000);
      events.warn(
        `${config.out} was last used by ${owner}, which cannot be seen from here: waiting up to ${seconds} s for a sign of it`,
      );
    },
  });
  try {
    return await runInOwnFolder(host, subject, lease, events);
  } finally {
    await lease.release();
  }
}

async function runInOwnFolder(
  host: Host,
  subject: RunSubject,
  lease: RunLease,
  events: CoordinatorEvents,
): Promise<RunSummary> {
  const { config: asked, manifest, layout } = subject;
  const check = async (): Promise<void> => lease.check();
  await takeOverFiles(host.disk, asked.out, check);
  const { perEpoch } = runLength(asked, manifest);
  const longer =
    asked.extendToEpochs === null
      ? asked
      : prolonged(asked, await newestStep(host.disk, asked.out), perEpoch);
  const given = { ...subject, config: longer, host, warn: events.warn, check };
  const opening = await openRun(given, events.ownWorkers);
  const { config } = opening;
  const definition = { ...given, config };
  const before = await summaryOfEnded(definition, opening);
  if (before !== null) return before;
  // The file comes before the journal: a run that is resumed after a crash takes its options from the file.
  if (config.prolonged !== asked.prolonged) {
    const { clock } = host;
    await writeConfig(host, config, { clock, onFull: events.warn, interrupted: () => false, check });
  }

  const resources = new Resources();
  let stop = { clean: false, reason: 'the coordinator failed' };
  const interrupted = (): boolean => events.stopRequested() !== null;
  try {
    const options = { observer: events.observer, interrupted, lease, stop: () => stop };
    const services = await openServices(definition, opening, options, resources);
    const { cluster, httpAddress, journal, checkpoints, progress, seconds, diskWait } = services;
    const summarise = async (completed: boolean, reason: string): Promise<RunSummary> => {
      const input = { manifest, layout, progress, completed, reason, checkpoints, seconds: seconds() };
      return writeSummary(host, config, input, diskWait);
    };
    try {
      events.onListening({ workers: cluster.address, http: httpAddress }, cluster);
      const reason = await trainToItsEnd(definition, services, events);
      stop = { clean: true, reason };
      // If the process dies between the two, the same command finds the summary and has nothing left to do.
      const summary = await summarise(true, reason);
      await journal.end(reason, true);
      return summary;
    } catch (error) {
      stop = { clean: false, reason: reasonOf(error) };
      // If these cannot be written either, the error that is thrown here matters more.
      await journal.end(stop.reason, false).catch(() => undefined);
      await summarise(false, stop.reason).catch(() => undefined);
      throw error;
    }
  } finally {
    await resources.release();
  }
}

/** The summary of a run that has already ended; null if there is something left to do. */
async function summaryOfEnded(
  { host, config, manifest, warn }: RunDefinition,
  opening: RunOpening,
): Promise<RunSummary | null> {
  const { steps } = runLength(config, manifest);
  const state = afterProlongation(opening.state, config);
  const ended = state.ended ?? (state.step >= steps ? 'finished' : null);
  const summary = ended === null ? null : await readSummary(host.disk, config.out);
  // A run that was stopped in its last evaluation has all its steps and is still not finished.
  if (summary?.completed !== true || summary.steps !== state.step || summary.reason !== ended) return null;
  warn(`nothing to do: the run in ${config.out} has ended (${ended})`);
  return summary;
}

/** Waits for workers and trains; rolls back and begins again as often as necessary. @returns why the run ended */
async function trainToItsEnd(
  definition: RunDefinition,
  services: RunServices,
  { stopRequested }: CoordinatorEvents,
): Promise<string> {
  const { host, config, manifest, spec, layout, warn } = definition;
  const { cluster, rendezvous, observer, progress, diskWait } = services;
  const { steps, perEpoch } = runLength(config, manifest);
  for (;;) {
    try {
      if (!(await rendezvous.complete(services))) return stopRequested() ?? 'stopped';
      await writeConfig(host, config, diskWait);
      const warning = scheduleWarning(scheduleAt(config, perEpoch, steps));
      if (warning !== null) warn(warning);
      const backend = cluster.ready[0]?.ready?.backend ?? '';
      const model = { name: spec.name, parameters: layout.length };
      const { state, saved } = progress;
      const length = { steps, stepsPerEpoch: perEpoch, fromStep: state.step, saved };
      const workers = cluster.members.length;
      const { initFrom, initCommit, initDigest } = config;
      const source = { initFrom, initCommit, initDigest };
      observer.onStart({ version: VERSION, ...model, ...length, workers, backend, ...source });
      const end = await train({ ...services, config, layout, manifest, stopRequested });
      if (end.kind === 'ended') {
        if (!end.over || !hasFinalTest(manifest)) return end.reason;
        progress.final = await finalTest(definition, services, stopRequested);
        return progress.final === null ? (stopRequested() ?? 'stopped') : end.reason;
      }
      await rendezvous.takeOver(services);
    } catch (error) {
      if (!isStateGone(error)) throw error;
      await rendezvous.rollBack(services, error);
    }
  }
}

async function writeConfig(host: Host, config: RunConfig, wait: DiskWait): Promise<void> {
  await writeRunFile(host, join(config.out, CONFIG_FILE), configToYaml(config), wait);
}

/** Whether the run has to go back to a checkpoint. */
function isStateGone(error: unknown): error is Error {
  return error instanceof StateDiscredited || (error instanceof VitrailError && error.code === 'STATE_LOST');
}

/** @throws TOO_MANY_WORKERS */
function checkWorkers(config: RunConfig, manifest: Manifest): void {
  const { workers } = config;
  const microBatches = microBatchesOfStep(config, manifest);
  if (workers > microBatches) throw tooManyWorkers(workers, microBatches);
}
