/** Adds the digests to lists of samples. */
import { createHash } from 'node:crypto';
import {
  manifestLayout,
  splitLayout,
  type Manifest,
  type ManifestSample,
  type SplitManifest,
} from './manifest.js';

/** The split of `samples` with its digest. */
export function sealSplit(samples: readonly ManifestSample[]): SplitManifest {
  const hash = createHash('sha256');
  for (const line of splitLayout(samples)) hash.update(line);
  return { samples, digest: hash.digest('hex') };
}

/** The manifest of the lists of samples with all its digests. */
export function sealManifest(
  classes: readonly string[],
  train: readonly ManifestSample[],
  test: readonly ManifestSample[],
  val: readonly ManifestSample[] = [],
): Manifest {
  const sealed = { classes, train: sealSplit(train), val: sealSplit(val), test: sealSplit(test) };
  const evaluated = [sealed.val, sealed.test].filter(({ samples }) => samples.length > 0);
  const digests = [sealed.train, ...evaluated].map(({ digest }) => digest);
  const layout = manifestLayout(classes, digests);
  return { ...sealed, digest: createHash('sha256').update(layout).digest('hex') };
}
