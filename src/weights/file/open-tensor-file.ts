/** Opens a file of weights by its format, which its name tells. */
import { basename } from 'node:path';
import { coded } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { openNpzFile } from './npz-file.js';
import { openSafetensorsFile, openShardedSafetensors } from './safetensors-file.js';
import type { TensorFile } from './tensor-file.js';
import { openTorchFile } from './torch-file.js';

const OPENERS: readonly (readonly [RegExp, (disk: Disk, path: string) => Promise<TensorFile>])[] = [
  [/\.safetensors$/i, openSafetensorsFile],
  [/\.safetensors\.index\.json$/i, openShardedSafetensors],
  [/\.(?:pt|pth|bin|ckpt|pkl)$/i, openTorchFile],
  [/\.npz$/i, openNpzFile],
];

/** The names that libraries give their weights, the first of which is taken if a folder has several. */
const USUAL_NAMES = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'];

/** The weights in a folder of files with these names; null if there are none. */
export function weightFileAmong(names: readonly string[]): string | null {
  const usual = USUAL_NAMES.find((name) => names.includes(name));
  const any = [...names].sort().find((name) => OPENERS.some(([ending]) => ending.test(name)));
  return usual ?? any ?? null;
}

/** @throws WEIGHTS_*, CHECKPOINT_NOT_FOUND */
export async function openTensorFile(disk: Disk, path: string): Promise<TensorFile> {
  const opener = OPENERS.find(([ending]) => ending.test(basename(path)));
  if (opener === undefined) throw coded('WEIGHTS_FORMAT_UNKNOWN', { path, what: 'a file of another kind' });
  return opener[1](disk, path);
}
