/** Reads a checkpoint folder. It trusts nothing: marker, checksums, format and shapes are checked first. */
import { join } from 'node:path';
import { coded, type VitrailError } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import type { ParameterLayout } from '../model/parameter-layout.js';
import { counted } from '../../errors/wording.js';
import { readError } from './checkpoint-errors.js';
import {
  CHECKSUMS_FILE,
  CONTENT_FILES,
  MARKER_FILE,
  OPTIMIZER_FILE,
  STATE_FILE,
  WEIGHTS_FILE,
  decodeChecksums,
  decodeState,
  layoutDifference,
  type Checksums,
  type CheckpointState,
  type ContentFile,
} from './checkpoint-format.js';
import { fileDigest, type FileDigest } from './file-digest.js';
import { readSafetensorsHeader, readTensors } from './safetensors.js';
import type { StoredTensor } from '../../weights/format/safetensors-header.js';

/** A checkpoint whose files have the right checksums. */
export interface VerifiedCheckpoint {
  readonly path: string;
  readonly step: number;
  readonly state: CheckpointState;
}

export interface Checkpoint extends VerifiedCheckpoint {
  /** Flat, in layout order. */
  readonly weights: Float32Array;
  /** Optimizer state by name, each flat, in layout order. */
  readonly slots: Readonly<Record<string, Float32Array>>;
}

function corrupt(path: string, problem: string): VitrailError {
  return coded('CHECKPOINT_CORRUPT', { path, problem });
}

/** What exists at `path`; null if nothing does. @throws a coded error if that cannot be told */
export async function kindOf(disk: Disk, path: string): Promise<'folder' | 'file' | null> {
  try {
    return await disk.kindOf(path);
  } catch (thrown) {
    throw readError(path, thrown);
  }
}

async function textOf(disk: Disk, path: string, name: string): Promise<string> {
  if ((await kindOf(disk, join(path, name))) === null) throw corrupt(path, `${name} is missing`);
  try {
    return await disk.readText(join(path, name));
  } catch (thrown) {
    throw readError(join(path, name), thrown);
  }
}

async function digestOf(disk: Disk, path: string, name: string): Promise<FileDigest> {
  if ((await kindOf(disk, join(path, name))) === null) throw corrupt(path, `${name} is missing`);
  try {
    return await fileDigest(disk, join(path, name));
  } catch (thrown) {
    throw readError(join(path, name), thrown);
  }
}

async function verifyFile(disk: Disk, path: string, name: ContentFile, checksums: Checksums): Promise<void> {
  const expected = checksums[name];
  const found = await digestOf(disk, path, name);
  if (found.bytes !== expected.bytes) {
    throw corrupt(path, `${name} has ${counted(found.bytes, 'byte')} instead of ${expected.bytes}`);
  }
  if (found.sha256 !== expected.sha256) {
    throw corrupt(path, `${name} has SHA-256 ${found.sha256}, ${expected.sha256} was written`);
  }
}

async function checkedSums(disk: Disk, path: string): Promise<Checksums> {
  if ((await kindOf(disk, path)) !== 'folder') throw coded('CHECKPOINT_NOT_FOUND', { path });
  if ((await kindOf(disk, join(path, MARKER_FILE))) === null) throw coded('CHECKPOINT_INCOMPLETE', { path });
  const checksums = decodeChecksums(await textOf(disk, path, CHECKSUMS_FILE));
  if (checksums === null) throw corrupt(path, `${CHECKSUMS_FILE} is not as it was written`);
  return checksums;
}

/**
 * Reads only step and state, from a verified state.json. This is enough to learn which model a checkpoint
 * holds.
 * @throws CHECKPOINT_NOT_FOUND, CHECKPOINT_INCOMPLETE, CHECKPOINT_CORRUPT, CHECKPOINT_UNREADABLE
 */
export async function readCheckpointState(disk: Disk, path: string): Promise<VerifiedCheckpoint> {
  await verifyFile(disk, path, STATE_FILE, await checkedSums(disk, path));
  const decoded = decodeState(await textOf(disk, path, STATE_FILE));
  if (typeof decoded === 'string') throw corrupt(path, decoded);
  return { path, ...decoded };
}

/** Verifies every file of a checkpoint. Throws as `readCheckpointState`. */
export async function verifyCheckpoint(disk: Disk, path: string): Promise<VerifiedCheckpoint> {
  const checksums = await checkedSums(disk, path);
  for (const name of CONTENT_FILES) await verifyFile(disk, path, name, checksums);
  return readCheckpointState(disk, path);
}

/** The tensors of the optimizer's file by slot, which is the part of a name before its first dot. */
function groupBySlot(tensors: readonly StoredTensor[]): Map<string, StoredTensor[]> {
  const groups = new Map<string, StoredTensor[]>();
  for (const tensor of tensors) {
    const slot = tensor.name.split('.', 1)[0] ?? '';
    groups.set(slot, [...(groups.get(slot) ?? []), tensor]);
  }
  return groups;
}

/** The moving average is of all parameters; moments are of those that are trained. */
const AVERAGE_SLOT = 'ema';

/** Reads the tensors called `prefix` + parameter into one flat array. The file's names and shapes must match. */
async function readFlat(
  disk: Disk,
  file: string,
  layout: ParameterLayout,
  prefix: string,
): Promise<Float32Array> {
  const flat = new Float32Array(layout.length);
  const targets = new Map(
    layout.slots.map(({ name, offset, length }) => [prefix + name, flat.subarray(offset, offset + length)]),
  );
  await readTensors(disk, file, ({ name }) => targets.get(name) ?? null);
  return flat;
}

/**
 * A whole checkpoint, verified, for the model of `layout`.
 * @param trained of the parameters that have moments: the last ones of `layout`
 * @throws as `readCheckpointState`; CHECKPOINT_OTHER_MODEL naming the first parameter that differs
 */
export async function readCheckpoint(
  disk: Disk,
  path: string,
  layout: ParameterLayout,
  trained = layout,
): Promise<Checkpoint> {
  const verified = await verifyCheckpoint(disk, path);
  const weightsFile = join(path, WEIGHTS_FILE);
  const optimizerFile = join(path, OPTIMIZER_FILE);
  const { tensors } = await readSafetensorsHeader(disk, weightsFile);
  const groups = groupBySlot((await readSafetensorsHeader(disk, optimizerFile)).tensors);
  const layoutOf = (slot: string): ParameterLayout => (slot === AVERAGE_SLOT ? layout : trained);
  const differences = [
    layoutDifference(layout, tensors),
    ...[...groups].map(([slot, group]) => layoutDifference(layoutOf(slot), group, `${slot}.`)),
  ];
  const difference = differences.find((found) => found !== null);
  if (typeof difference === 'string') throw coded('CHECKPOINT_OTHER_MODEL', { path, difference });
  const slots: Record<string, Float32Array> = {};
  for (const slot of groups.keys()) {
    slots[slot] = await readFlat(disk, optimizerFile, layoutOf(slot), `${slot}.`);
  }
  return { ...verified, weights: await readFlat(disk, weightsFile, layout, ''), slots };
}
