/** Writes the folder of an exported model. */
import { join } from 'node:path';
import type { Disk } from '../../host/disk.js';
import { writeSynced } from '../../host/atomic-file.js';
import { writeSafetensors } from '../../run/checkpoint/safetensors.js';
import { tensorValues, type ModelTensor } from '../../weights/export/model-tensors.js';

const WEIGHTS = 'model.safetensors';

export interface FolderContent {
  readonly tensors: readonly ModelTensor[];
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
  const named = tensors.map((tensor) => ({
    name: tensor.name,
    shape: tensor.shape,
    data: tensorValues(tensor, weights),
  }));
  // Transformers refuses weights whose metadata does not say what wrote them: `pt` stands for names as PyTorch's.
  await writeSafetensors(disk, join(folder, WEIGHTS), named, { format: 'pt' });
  for (const [name, text] of texts) await writeSynced(disk, join(folder, name), text);
  await disk.syncFolder(folder);
}
