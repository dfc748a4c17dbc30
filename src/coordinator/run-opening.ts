/** What a coordinator finds in its run folder, and where the run goes on from there. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { identityDifference, resolveConfig } from '../shared/config/config.js';
import type { RunConfig } from '../shared/config/schema.js';
import type { Manifest } from '../shared/dataset/manifest.js';
import { coded } from '../shared/errors.js';
import type { ModelSpec } from '../shared/model/model-spec.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import { JOURNAL_VERSION, nextWorkerAfter, type JournalContent, type JournalOpen } from './journal-format.js';
import { readJournal } from './journal.js';
import type { RunState } from './run-state.js';
import { CONFIG_FILE, startingPoint, type StartingPoint } from './starting-point.js';

export interface RunMaterial {
  readonly config: RunConfig;
  readonly manifest: Manifest;
  readonly spec: ModelSpec;
  readonly layout: ParameterLayout;
  readonly warn: (text: string) => void;
}

export interface RunOpening {
  readonly runToken: string;
  readonly state: RunState;
  readonly lastCommit: JournalOpen['lastCommit'];
  /** What the coordinator itself can give; null: only workers hold the state. */
  readonly start: StartingPoint | null;
  /** Newest step with a checkpoint, -1 for none. */
  readonly saved: number;
  readonly generation: number;
  readonly nextWorker: number;
  /** Where to listen: where the workers of an interrupted run look for their coordinator. */
  readonly listen: string;
  /** What the coordinator before this one left, null for none. */
  readonly journal: JournalContent | null;
  /** The beginning of this coordinator's journal. */
  record(addresses: { readonly address: string; readonly httpAddress: string }): JournalOpen;
}

/** Above all that a coordinator can have planned since its last commit. */
const GENERATIONS_OF_A_START = 2 ** 20;

/**
 * Without a journal, or with one that ended: as `startingPoint` says. An interrupted run goes on with the workers that
 * hold its state; if the newest checkpoint is of that very step, with any.
 * @throws RUN_EXISTS, RUN_CONFIG_CHANGED, RUN_DATA_CHANGED, CHECKPOINT_*, JOURNAL_DAMAGED
 */
export async function openRun(material: RunMaterial, ownWorkers: boolean): Promise<RunOpening> {
  const { config, manifest, spec, layout, warn } = material;
  const journal = await readJournal(config.out);
  const begun = existsSync(join(config.out, CONFIG_FILE));
  const interrupted = begun && journal !== null && journal.end === null && !ownWorkers;
  if (journal !== null && (interrupted || config.resume)) checkIdentity(config, manifest, journal);
  if (!interrupted) {
    const start = await startingPoint(config, manifest, spec, layout, warn);
    const saved = start.fromCheckpoint ? start.state.step : -1;
    return opening(material, journal, { state: start.state, lastCommit: null, start, saved });
  }
  const { state, lastCommit } = journal;
  const start = await startingPoint({ ...config, resume: true }, manifest, spec, layout, () => undefined);
  const usable = start.state.step === state.step;
  const saved = start.fromCheckpoint ? start.state.step : -1;
  return opening(material, journal, { state, lastCommit, start: usable ? start : null, saved });
}

function checkIdentity(config: RunConfig, manifest: Manifest, journal: JournalContent): void {
  const stored = resolveConfig({ flags: journal.open.config });
  const difference = identityDifference(stored, config);
  if (difference !== null) throw coded('RUN_CONFIG_CHANGED', { path: config.out, ...difference });
  const { manifestDigest } = journal.open;
  if (manifestDigest !== manifest.digest) {
    throw coded('RUN_DATA_CHANGED', { path: config.out, stored: manifestDigest, given: manifest.digest });
  }
}

function opening(
  { config, manifest }: RunMaterial,
  journal: JournalContent | null,
  found: Pick<RunOpening, 'state' | 'lastCommit' | 'start' | 'saved'>,
): RunOpening {
  // A run that ended, or goes back with nobody left, has the same name: workers that turn up late belong to it.
  const runToken = journal?.open.runToken ?? randomBytes(8).toString('hex');
  const generation = journal === null ? 0 : journal.generation + GENERATIONS_OF_A_START;
  const nextWorker = journal === null ? 0 : nextWorkerAfter(journal);
  const anyPort = config.listen.endsWith(':0');
  return {
    ...found,
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
      time: new Date().toISOString(),
      pid: process.pid,
      host: hostname(),
      config: { ...config },
      manifestDigest: manifest.digest,
      address,
      httpAddress,
      state: found.state,
      lastCommit: found.lastCommit,
      generation,
      nextWorker,
    }),
  };
}
