/** Writes a checkpoint so that a crash at any moment leaves the folder whole or absent. */
import { join } from 'node:path';
import { coded, hasCode } from '../../errors/errors.js';
import type { ParameterLayout } from '../model/parameter-layout.js';
import { makeFolders, writeSynced } from '../../host/atomic-file.js';
import type { Disk } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import { writeError } from './checkpoint-errors.js';
import {
  CHECKPOINTS_FOLDER,
  CHECKSUMS_FILE,
  MARKER_FILE,
  OPTIMIZER_FILE,
  PRODUCER,
  REPLACED_PREFIX,
  STATE_FILE,
  TEMPORARY_PREFIX,
  WEIGHTS_FILE,
  encodeChecksums,
  encodeState,
  folderName,
  parseFolderName,
  type CheckpointState,
} from './checkpoint-format.js';
import { textDigest } from './file-digest.js';
import { writeSafetensors, type NamedTensor } from './safetensors.js';

export interface CheckpointContent {
  /** Committed steps. */
  readonly step: number;
  readonly layout: ParameterLayout;
  /** Flat, in layout order. */
  readonly weights: Float32Array;
  /**
   * Optimizer state by name (`exp_avg`, `ema` ...), each flat, in layout order. Where only the last parameters are trained,
   * moments may be theirs alone.
   */
  readonly slots: Readonly<Record<string, Float32Array>>;
  readonly state: CheckpointState;
  /** Metadata of weights.safetensors about the model, besides format and step. */
  readonly metadata: Readonly<Record<string, string>>;
}

function tensorsOf(layout: ParameterLayout, flat: Float32Array, prefix: string): NamedTensor[] {
  const missing = layout.length - flat.length;
  const slots = layout.slots.filter(({ offset }) => offset >= missing);
  if (missing < 0 || slots[0]?.offset !== missing || (missing > 0 && prefix === '')) {
    const what = prefix === '' ? 'weights' : prefix.slice(0, -1);
    const reason = `checkpoint: ${what} has ${flat.length} elements for ${layout.length} parameters`;
    throw coded('INTERNAL', { reason });
  }
  return slots.map(({ name, shape, offset, length }) => ({
    name: prefix + name,
    shape,
    data: flat.subarray(offset - missing, offset - missing + length),
  }));
}

function stateText({ step, state }: CheckpointContent): string {
  const encoded = encodeState(step, state);
  if ('text' in encoded) return encoded.text;
  throw coded('INTERNAL', { reason: `checkpoint: in the state, ${encoded.notFinite}` });
}

/**
 * Cleans up after a crash: unfinished folders are removed, and a folder that was moved aside comes back if
 * nothing took its place.
 */
async function clearLeftovers(
  { disk, process }: Pick<Host, 'disk' | 'process'>,
  folder: string,
  check: () => Promise<void>,
): Promise<void> {
  const names = await disk.list(folder);
  // The list comes before the check, so no folder in it belongs to a later writer.
  await check();
  for (const name of names) {
    if (name.startsWith(TEMPORARY_PREFIX)) {
      // A suspended writer may go on and write new files into the folder that is being emptied, unless it is renamed.
      const aside = join(folder, `${TEMPORARY_PREFIX}${process.randomId()}`);
      await disk.rename(join(folder, name), aside).catch((error: unknown) => {
        // That writer has gone on and has removed the folder itself.
        if (!hasCode(error, 'ENOENT')) throw error;
      });
      await disk.removeAll(aside);
    }
    const parsed = parseFolderName(name);
    if (parsed?.replaced !== true) continue;
    const successor = folderName(parsed.step);
    if (names.includes(successor)) await disk.removeAll(join(folder, name));
    else await disk.rename(join(folder, name), join(folder, successor));
  }
}

async function fill(disk: Disk, folder: string, content: CheckpointContent): Promise<void> {
  const { step, layout, weights, slots } = content;
  const metadata = { format: 'pt', producer: PRODUCER, step: String(step) };
  const state = stateText(content);
  const optimizer = Object.entries(slots).flatMap(([name, flat]) => tensorsOf(layout, flat, `${name}.`));
  const checksums = {
    [WEIGHTS_FILE]: await writeSafetensors(disk, join(folder, WEIGHTS_FILE), tensorsOf(layout, weights, ''), {
      ...content.metadata,
      ...metadata,
    }),
    [OPTIMIZER_FILE]: await writeSafetensors(disk, join(folder, OPTIMIZER_FILE), optimizer, metadata),
    [STATE_FILE]: textDigest(state),
  };
  await writeSynced(disk, join(folder, STATE_FILE), state);
  await writeSynced(disk, join(folder, CHECKSUMS_FILE), encodeChecksums(checksums));
  // The names must be on the disk before the marker is, and a file system may write entries in any order.
  await disk.syncFolder(folder);
  await writeSynced(disk, join(folder, MARKER_FILE), '');
  await disk.syncFolder(folder);
}

/** Renames the finished folder. If there already is one of the same step, that is moved aside first. */
async function publish(
  disk: Disk,
  parent: string,
  temporary: string,
  name: string,
  check: () => Promise<void>,
): Promise<void> {
  const final = join(parent, name);
  const replaced = join(parent, REPLACED_PREFIX + name);
  const rewrite = (await disk.list(parent)).includes(name);
  await check();
  if (rewrite) await disk.rename(final, replaced);
  await disk.rename(temporary, final);
  await disk.syncFolder(parent);
  if (!rewrite) return;
  // By now it may be another writer that has moved a folder aside under this name.
  await check();
  await disk.removeAll(replaced);
}

/**
 * Writes `runDir/checkpoints/step-NNNNNNNN/` and returns its path. Weights and slots must not change until then.
 * Everything is written into a hidden folder next to it and forced to the disk; at the end that folder is renamed, which
 * publishes the checkpoint. The marker COMPLETE is the last file before that. Readers refuse a folder without it: after
 * the rename it cannot be missing, but a copy that somebody made of a checkpoint may be a part of one. A run folder may have one writer at a time.
 * @param check throws if the run folder belongs to another writer by now
 * @throws CHECKPOINT_WRITE_FAILED, INTERNAL; what `check` throws
 */
export async function writeCheckpoint(
  host: Pick<Host, 'disk' | 'process'>,
  runDir: string,
  content: CheckpointContent,
  check: () => Promise<void>,
): Promise<string> {
  const { disk } = host;
  const parent = join(runDir, CHECKPOINTS_FOLDER);
  const name = folderName(content.step);
  const path = join(parent, name);
  // Every writer uses a name of its own, because an earlier one may be suspended and go on later.
  const temporary = join(parent, `${TEMPORARY_PREFIX}${name}-${host.process.randomId()}`);
  try {
    await check();
    await makeFolders(disk, parent);
    await clearLeftovers(host, parent, check);
    await disk.makeFolder(temporary);
    try {
      await fill(disk, temporary, content);
      await publish(disk, parent, temporary, name, check);
    } catch (thrown) {
      // Unfinished files must not keep a full disk full.
      await disk.removeAll(temporary);
      throw thrown;
    }
  } catch (thrown) {
    throw writeError(path, thrown);
  }
  return path;
}
