/** Writes the folder of an exported model, and reads the weights back from it. */
import { join } from 'node:path';
import type { Disk } from '../../host/disk.js';
import { writeSynced } from '../../host/atomic-file.js';
import { readTensors, writeSafetensors } from '../../run/checkpoint/safetensors.js';
import type { ExportedTensor } from '../../weights/export/exported-tensors.js';

const WEIGHTS = 'model.safetensors';

export interface FolderContent {
  readonly tensors: readonly ExportedTensor[];
  readonly weights: Float32Array;
  /** Text of each file beside the weights, by its name. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The text of a JSON file. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** @throws what the disk throws; CHECKPOINT_WRITE_FAILED */
export async function writeExportFolder(disk: Disk, folder: string, content: FolderContent): Promise<void> {
  const { tensors, weights, texts } = content;
  await disk.makeFolder(folder);
  const named = tensors.map(({ name, shape, offset, length }) => ({
    name,
    shape,
    data: weights.subarray(offset, offset + length),
  }));
  // Transformers refuses weights whose metadata does not say what wrote them: `pt` stands for names as PyTorch's.
  await writeSafetensors(disk, join(folder, WEIGHTS), named, { format: 'pt' });
  for (const [name, text] of texts) await writeSynced(disk, join(folder, name), text);
  await disk.syncFolder(folder);
}

/** Our flat weights, from the names and places of a written folder. */
export async function readExportFolder(
  disk: Disk,
  folder: string,
  { tensors, weights }: Pick<FolderContent, 'tensors' | 'weights'>,
): Promise<Float32Array> {
  const read = new Float32Array(weights.length).fill(NaN);
  const places = new Map(
    tensors.map(({ name, offset, length }) => [name, read.subarray(offset, offset + length)]),
  );
  await readTensors(disk, join(folder, WEIGHTS), ({ name }) => places.get(name) ?? null);
  return read;
}
