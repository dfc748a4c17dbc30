/** Refuses a path that is given as a checkpoint but holds another program's weights, and says what it is. */
import { basename, dirname, join } from 'node:path';
import { coded } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { readError } from './checkpoint-errors.js';
import {
  BEST_FILE,
  CHECKPOINTS_FOLDER,
  CHECKSUMS_FILE,
  MARKER_FILE,
  PRODUCER,
  STATE_FILE,
} from './checkpoint-format.js';
import { kindOf } from './checkpoint-reader.js';
import { kindOfFile, weightsAmong } from './foreign-weights.js';
import { readSafetensorsHeader } from './safetensors.js';

/** Names that every run or checkpoint folder of ours holds, even a damaged one. */
const OWN_FILES: readonly string[] = [BEST_FILE, CHECKPOINTS_FOLDER, MARKER_FILE, CHECKSUMS_FILE, STATE_FILE];

/** Recognises the weights of a checkpoint that was copied in part; their metadata says that we wrote them. */
async function areOwnWeights(disk: Disk, path: string): Promise<boolean> {
  try {
    return (await readSafetensorsHeader(disk, path)).metadata['producer'] === PRODUCER;
  } catch {
    return false;
  }
}

/** The names in a folder. @throws CHECKPOINT_UNREADABLE */
async function namesIn(disk: Disk, path: string): Promise<readonly string[]> {
  try {
    return await disk.list(path);
  } catch (thrown) {
    throw readError(path, thrown);
  }
}

async function isInCheckpoint(disk: Disk, path: string): Promise<boolean> {
  return (await kindOf(disk, join(dirname(path), MARKER_FILE))) !== null;
}

async function fileIs(disk: Disk, path: string): Promise<string> {
  if (await isInCheckpoint(disk, path)) return `a file of the checkpoint ${dirname(path)}`;
  return (await areOwnWeights(disk, path)) ? "a checkpoint's weights alone" : kindOfFile(basename(path));
}

/** Whether `path` is a file, or a folder with weights, and neither belongs to a run. @throws CHECKPOINT_UNREADABLE */
export async function isForeign(disk: Disk, path: string): Promise<boolean> {
  const kind = await kindOf(disk, path);
  if (kind === null) return false;
  if (kind === 'file') return !(await isInCheckpoint(disk, path)) && !(await areOwnWeights(disk, path));
  const names = await namesIn(disk, path);
  if (names.some((name) => OWN_FILES.includes(name))) return false;
  const found = weightsAmong(names);
  return found !== null && !(await areOwnWeights(disk, join(path, found)));
}

/**
 * Says what `path` is, if it exists and is not a checkpoint. @throws CHECKPOINT_FOREIGN,
 * CHECKPOINT_UNREADABLE
 */
export async function refuseForeign(disk: Disk, path: string): Promise<void> {
  const kind = await kindOf(disk, path);
  if (kind === 'file') throw coded('CHECKPOINT_FOREIGN', { path, what: await fileIs(disk, path) });
  if (kind === null) return;
  const names = await namesIn(disk, path);
  if (names.some((name) => OWN_FILES.includes(name))) return;
  const found = weightsAmong(names);
  if (found === null || (await areOwnWeights(disk, join(path, found)))) return;
  throw coded('CHECKPOINT_FOREIGN', { path, what: `a folder with ${found}` });
}
