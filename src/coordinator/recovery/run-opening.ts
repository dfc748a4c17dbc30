/** Finds out what is in a run folder, and where the run goes on. */
import { join } from 'node:path';
import { kindOf } from '../../run/checkpoint/checkpoint-reader.js';
import { listCheckpoints } from '../../run/checkpoint/checkpoint-store.js';
import { resolveConfig } from '../../run/config/config.js';
import { requireSameRun } from '../../run/config/run-identity.js';
import type { RunConfig } from '../../run/config/schema.js';
import type { Manifest } from '../../run/dataset/manifest.js';
import { coded, reasonOf } from '../../errors/errors.js';
import type { ModelSpec } from '../../run/model/model-spec.js';
import type { ParameterLayout } from '../../run/model/parameter-layout.js';
import {
  JOURNAL_VERSION,
  nextWorkerAfter,
  type JournalContent,
  type JournalOpen,
} from '../../run/journal/journal-format.js';
import { forceJournal, readJournal } from '../../run/journal/journal-file.js';
import type { RunState } from '../../run/journal/run-state.js';
import type { Host } from '../../host/host.js';
import { CONFIG_FILE, startingPoint, type StartingPoint } from '../../run/folder/starting-point.js';

export interface RunDefinition {
  readonly host: Host;
  readonly config: RunConfig;
  readonly manifest: Manifest;
  readonly spec: ModelSpec;
  readonly layout: ParameterLayout;
  readonly warn: (text: string) => void;
  /**
   * Throws if the run folder belongs to another coordinator by now. Must be called before every write to the
   * folder.
   */
  readonly check: () => Promise<void>;
}

export interface RunOpening {
  /** The options, with what is known of the weights that the run started from. */
  readonly config: RunConfig;
  readonly runToken: string;
  readonly state: RunState;
  readonly lastCommit: JournalOpen['lastCommit'];
  /** The state that the coordinator itself can give; null if only workers hold it. */
  readonly start: StartingPoint | null;
  /** Newest step with a checkpoint, -1 for none. */
  readonly saved: number;
  /** The backend that the run computes with; null before the first worker. */
  readonly backend: string | null;
  /** Whether workers of the coordinator before this one may come back, with the state of this very step. */
  readonly interrupted: boolean;
  readonly generation: number;
  readonly nextWorker: number;
  /** The address to listen at. In an interrupted run the workers look for their coordinator there. */
  readonly listen: string;
  /** The journal of the coordinator before this one, or null. */
  readonly journal: JournalContent | null;
  /** The beginning of this coordinator's journal. */
  record(addresses: { readonly address: string; readonly httpAddress: string }): JournalOpen;
}

/** More generations than a coordinator can have planned since its last commit. */
const GENERATIONS_OF_A_START = 2 ** 20;

/**
 * Without a journal, or if the journal says that the run has ended, the run starts as `startingPoint` says.
 * An interrupted run goes on with the workers that hold its state, or, if its newest checkpoint is of that
 * very step, with any workers.
 * @throws RUN_EXISTS, RUN_LENGTH_CHANGED, RUN_CONFIG_CHANGED, RUN_DATA_CHANGED, CHECKPOINT_*, JOURNAL_DAMAGED, JOURNAL_WRITE_FAILED
 */
export async function openRun(given: RunDefinition, ownWorkers: boolean): Promise<RunOpening> {
  const { host, manifest } = given;
  let { config } = given;
  const journal = await readJournal(host.disk, config.out);
  const begun = (await kindOf(host.disk, join(config.out, CONFIG_FILE))) !== null;
  const interrupted = begun && journal !== null && journal.end === null && !ownWorkers;
  if (journal !== null && (interrupted || config.resume)) {
    const stored = checkIdentity(config, manifest, journal);
    config = withDigest(config, stored.initDigest);
  }
  const definition = { ...given, config };
  if (!interrupted) {
    const start = await startingPoint(definition);
    const { state, backend } = start;
    const found = { state, backend, lastCommit: null, start, saved: savedIn(start), interrupted };
    return opening(definition, journal, found);
  }
  // Workers are told how far the run is as soon as they connect, which is before the journal is written anew.
  await definition.check();
  await forceJournal(host.disk, config.out);
  const { state, lastCommit } = journal;
  const { start, saved } = await stateOnDisk(definition, state.step);
  const backend = journal.backend ?? start?.backend ?? null;
  return opening(definition, journal, { state, backend, lastCommit, start, saved, interrupted });
}

/** The step of the checkpoint that the run starts from; -1 if it does not start from one. */
export function savedIn(start: StartingPoint): number {
  return start.fromCheckpoint ? start.state.step : -1;
}

/**
 * The state after `step` steps of an interrupted run, if the run folder has it. The run's workers hold it as
 * well, so it does not matter if it cannot be read here. A checkpoint of another step is not read, because
 * that takes seconds for a large model.
 */
async function stateOnDisk(
  definition: RunDefinition,
  step: number,
): Promise<Pick<RunOpening, 'start' | 'saved'>> {
  const { host, config, warn } = definition;
  try {
    const steps = (await listCheckpoints(host.disk, config.out)).map((listed) => listed.step);
    const earlier = Math.max(-1, ...steps.filter((listed) => listed < step));
    // Step 0 needs no checkpoint: the initial state follows from seed and options.
    if (!steps.includes(step) && (step > 0 || steps.length > 0)) return { start: null, saved: earlier };
    const resumed = { ...config, resume: true };
    const start = await startingPoint({ ...definition, config: resumed });
    return start.state.step === step ? { start, saved: savedIn(start) } : { start: null, saved: earlier };
  } catch (error) {
    warn(`the state cannot be read from the disk, so a worker of the run must have it: ${reasonOf(error)}`);
    return { start: null, saved: -1 };
  }
}

/** `config` with what is known of the weights that the run started from, if it does not say it. */
function withDigest(config: RunConfig, initDigest: string | null): RunConfig {
  return config.initDigest === null ? Object.freeze({ ...config, initDigest }) : config;
}

/** @returns the options that the run was started with */
function checkIdentity(config: RunConfig, manifest: Manifest, journal: JournalContent): RunConfig {
  const stored = resolveConfig({ flags: journal.open.config });
  requireSameRun(config.out, stored, config, journal.state.step);
  const { manifestDigest } = journal.open;
  if (manifestDigest !== manifest.digest) {
    throw coded('RUN_DATA_CHANGED', { path: config.out, stored: manifestDigest, given: manifest.digest });
  }
  return stored;
}

function opening(
  { host, config: given, manifest }: RunDefinition,
  journal: JournalContent | null,
  found: Omit<
    RunOpening,
    'config' | 'runToken' | 'generation' | 'nextWorker' | 'listen' | 'journal' | 'record'
  >,
): RunOpening {
  const config = withDigest(given, found.start?.initDigest ?? null);
  // The name stays the same after the run has ended or rolled back, so workers that come late still belong to
  // it.
  const runToken = journal?.open.runToken ?? host.process.randomHex(8);
  const generation = journal === null ? 0 : journal.generation + GENERATIONS_OF_A_START;
  const nextWorker = journal === null ? 0 : nextWorkerAfter(journal);
  const anyPort = config.listen.endsWith(':0');
  return {
    ...found,
    config,
    runToken,
    generation,
    nextWorker,
    listen: anyPort && journal?.end === null ? journal.open.address : config.listen,
    journal,
    record: ({ address, httpAddress }) => ({
      type: 'open',
      version: JOURNAL_VERSION,
      runToken,
      incarnation: (journal?.open.incarnation ?? 0) + 1,
      time: host.clock.date().toISOString(),
      pid: host.process.pid,
      host: host.process.hostName,
      network: host.process.network,
      advertised: host.process.hostForOthers(config.advertise),
      config: { ...config },
      manifestDigest: manifest.digest,
      address,
      httpAddress,
      state: found.state,
      lastCommit: found.lastCommit,
      generation,
      nextWorker,
      backend: found.backend,
    }),
  };
}
