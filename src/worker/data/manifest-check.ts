/** Checks whether a worker has the files that the coordinator's manifest names. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { allSamples, type Manifest, type ManifestSample } from '../../run/dataset/manifest.js';
import { counted } from '../../errors/wording.js';

const FILES_AT_ONCE = 64;

async function difference(root: string, sample: ManifestSample): Promise<string | null> {
  const bytes = await stat(join(root, sample.path)).then(
    (found) => (found.isFile() ? found.size : -1),
    () => null,
  );
  if (bytes === null) return `${sample.path} is missing in ${root}`;
  if (bytes < 0) return `${sample.path} is no file here`;
  if (bytes !== sample.bytes)
    return `${sample.path} has ${counted(bytes, 'byte')} here and ${sample.bytes} there`;
  return null;
}

/** The first file, in manifest order, that is missing under `root` or has another size; null if none. */
export async function firstFileDifference(root: string, manifest: Manifest): Promise<string | null> {
  const samples = allSamples(manifest);
  for (let start = 0; start < samples.length; start += FILES_AT_ONCE) {
    const group = samples.slice(start, start + FILES_AT_ONCE);
    const found = await Promise.all(group.map(async (sample) => difference(root, sample)));
    const first = found.find((text) => text !== null);
    if (first !== undefined) return first;
  }
  return null;
}
