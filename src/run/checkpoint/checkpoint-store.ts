/**
 * Lists the checkpoints of a run folder, finds the newest intact one and the best one, and removes old ones.
 */
import { join } from 'node:path';
import { coded, hasCode, type VitrailError } from '../../errors/errors.js';
import { writeFileAtomic } from '../../host/atomic-file.js';
import type { Disk } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import { readError, writeError } from './checkpoint-errors.js';
import {
  BEST_FILE,
  CHECKPOINTS_FOLDER,
  CHECKSUMS_FILE,
  MARKER_FILE,
  TEMPORARY_PREFIX,
  WEIGHTS_FILE,
  folderName,
  parseFolderName,
} from './checkpoint-format.js';
import { refuseForeign } from './foreign-checkpoint.js';
import { kindOf, verifyCheckpoint, type VerifiedCheckpoint } from './checkpoint-reader.js';

export interface ListedCheckpoint {
  readonly step: number;
  readonly path: string;
}

/** The evaluation of the best checkpoint. */
export interface BestPointer {
  readonly step: number;
  /** For example `test-loss`. */
  readonly metric: string;
  readonly value: number;
}

/** Called for every damaged checkpoint that was skipped, newest first. It should warn the user. */
export type OnRejected = (path: string, error: VitrailError) => void;

/**
 * The published checkpoints of a run, oldest first, verified or not. A folder that was moved aside counts if
 * nothing took its place, because then a crash came between the two renames.
 */
export async function listCheckpoints(disk: Disk, runDir: string): Promise<readonly ListedCheckpoint[]> {
  const folder = join(runDir, CHECKPOINTS_FOLDER);
  if ((await kindOf(disk, folder)) !== 'folder') return [];
  const byStep = new Map<number, ListedCheckpoint>();
  try {
    for (const name of await disk.list(folder)) {
      const parsed = parseFolderName(name);
      if (parsed === null || (parsed.replaced && byStep.has(parsed.step))) continue;
      byStep.set(parsed.step, { step: parsed.step, path: join(folder, name) });
    }
  } catch (thrown) {
    throw readError(folder, thrown);
  }
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** The newest checkpoint of a run that verifies, or null. Calls `onRejected` for each newer one. */
export async function newestVerified(
  disk: Disk,
  runDir: string,
  onRejected: OnRejected,
): Promise<VerifiedCheckpoint | null> {
  for (const { path } of [...(await listCheckpoints(disk, runDir))].reverse()) {
    try {
      return await verifyCheckpoint(disk, path);
    } catch (thrown) {
      onRejected(path, readError(path, thrown));
    }
  }
  return null;
}

/**
 * Makes the checkpoint of `best.step`, which has to exist, the best of the run.
 * @param check throws if the run folder belongs to another writer by now
 * @throws CHECKPOINT_WRITE_FAILED; what `check` throws
 */
export async function writeBest(
  host: Pick<Host, 'disk' | 'process'>,
  runDir: string,
  best: BestPointer,
  check: () => Promise<void>,
): Promise<void> {
  const path = join(runDir, BEST_FILE);
  const { step, metric, value } = best;
  try {
    await writeFileAtomic(host, path, `${JSON.stringify({ step, metric, value }, null, 2)}\n`, check);
  } catch (thrown) {
    throw writeError(path, thrown);
  }
}

function parseBest(text: string): BestPointer | null {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof root !== 'object' || root === null) return null;
  const { step, metric, value } = root as Readonly<Record<string, unknown>>;
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) return null;
  return typeof metric === 'string' && typeof value === 'number' ? { step, metric, value } : null;
}

/** The run's best; null if none was chosen yet. Throws CHECKPOINT_CORRUPT, CHECKPOINT_UNREADABLE. */
export async function readBest(disk: Disk, runDir: string): Promise<BestPointer | null> {
  const path = join(runDir, BEST_FILE);
  if ((await kindOf(disk, path)) === null) return null;
  let text: string;
  try {
    text = await disk.readText(path);
  } catch (thrown) {
    throw readError(path, thrown);
  }
  const best = parseBest(text);
  if (best === null) throw coded('CHECKPOINT_CORRUPT', { path, problem: 'it names no checkpoint' });
  return best;
}

/**
 * Removes all checkpoints except the last `keepLast` and the best one; returns the removed paths.
 * A folder is renamed before it is emptied, so that a crash never leaves a part of a checkpoint.
 * @param check throws if the run folder belongs to another writer by now, which may have another best checkpoint
 * @throws CHECKPOINT_WRITE_FAILED; as `readBest`; what `check` throws
 */
export async function prune(
  disk: Disk,
  runDir: string,
  keepLast: number,
  check: () => Promise<void>,
): Promise<readonly string[]> {
  const best = await readBest(disk, runDir);
  const all = await listCheckpoints(disk, runDir);
  const doomed = all.slice(0, Math.max(0, all.length - keepLast)).filter(({ step }) => step !== best?.step);
  for (const { step, path } of doomed) {
    const aside = join(runDir, CHECKPOINTS_FOLDER, `${TEMPORARY_PREFIX}pruned-${folderName(step)}`);
    try {
      await check();
      await disk.rename(path, aside);
      await disk.removeAll(aside);
    } catch (thrown) {
      // An earlier writer has removed it, which had checked its lease just before it lost the folder.
      if (hasCode(thrown, 'ENOENT')) continue;
      throw writeError(path, thrown);
    }
  }
  return doomed.map(({ path }) => path);
}

async function isCheckpointFolder(disk: Disk, path: string): Promise<boolean> {
  for (const name of [MARKER_FILE, CHECKSUMS_FILE, WEIGHTS_FILE]) {
    if ((await kindOf(disk, join(path, name))) !== null) return true;
  }
  return false;
}

/**
 * The checkpoint folder that `path` means: `path` itself, or in a run folder the best one, or else the newest
 * that verifies. A damaged best one is not replaced by another; reading it gives the error.
 * @throws CHECKPOINT_NOT_FOUND; CHECKPOINT_FOREIGN; the error of the newest one if all are damaged; as
 * `readBest`
 */
export async function resolveCheckpoint(disk: Disk, path: string, onRejected: OnRejected): Promise<string> {
  await refuseForeign(disk, path);
  if (await isCheckpointFolder(disk, path)) return path;
  const best = await readBest(disk, path);
  if (best !== null) {
    const listed = (await listCheckpoints(disk, path)).find(({ step }) => step === best.step);
    if (listed !== undefined) return listed.path;
    throw coded('CHECKPOINT_NOT_FOUND', { path: join(path, CHECKPOINTS_FOLDER, folderName(best.step)) });
  }
  const rejected: VitrailError[] = [];
  const newest = await newestVerified(disk, path, (rejectedPath, error) => {
    rejected.push(error);
    onRejected(rejectedPath, error);
  });
  if (newest !== null) return newest.path;
  throw rejected[0] ?? coded('CHECKPOINT_NOT_FOUND', { path });
}
