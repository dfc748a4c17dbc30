/** Decodes images one after the other, in order. Gives the reason for those that cannot be decoded. */
import type { ManifestSample } from '../../run/dataset/manifest.js';
import { VitrailError, type ErrorCode } from '../../errors/errors.js';
import { Loader } from '../../worker/data/loader.js';
import type { BatchRequest, MicroBatch } from '../../worker/data/micro-batch.js';
import type { TransformSpec } from '../../worker/data/transform.js';

export type DecodedImage =
  | { readonly kind: 'decoded'; readonly sample: number; readonly batch: MicroBatch }
  | { readonly kind: 'broken'; readonly sample: number; readonly error: VitrailError };

/** The codes of errors that concern one image only. */
const OF_AN_IMAGE: readonly ErrorCode[] = ['DATA_BROKEN_IMAGE', 'DATA_UNREADABLE'];
/** How many images are decoded before they are taken. */
const AHEAD = 64;
const IMAGE_TIMEOUT_MS = 120_000;

function request(sample: number): BatchRequest {
  return { split: 'test', epoch: 0, samples: [sample], augment: false };
}

/**
 * @param root the folder that the samples' paths are relative to
 * @throws DATA_LOADER_TIMEOUT, DATA_LOADER_STOPPED
 */
export async function* decodedImages(
  root: string,
  samples: readonly ManifestSample[],
  transform: TransformSpec,
): AsyncGenerator<DecodedImage> {
  const splits = { train: [], test: samples };
  const loader = new Loader(
    { root, splits, transform, cacheBytes: 0 },
    { maxAhead: AHEAD, timeoutMs: IMAGE_TIMEOUT_MS },
  );
  try {
    for (const sample of samples.keys()) {
      if (sample % (AHEAD / 2) === 0) {
        const length = Math.min(AHEAD, samples.length - sample);
        loader.prefetch(Array.from({ length }, (_, i) => request(sample + i)));
      }
      yield await decoded(loader, sample);
    }
  } finally {
    await loader.close();
  }
}

async function decoded(loader: Loader, sample: number): Promise<DecodedImage> {
  try {
    return { kind: 'decoded', sample, batch: await loader.take(request(sample)) };
  } catch (error) {
    if (!(error instanceof VitrailError) || !OF_AN_IMAGE.includes(error.code)) throw error;
    return { kind: 'broken', sample, error };
  }
}

/** One micro-batch of several, in order. */
export function joinedBatch(batches: readonly MicroBatch[]): MicroBatch {
  const count = batches.reduce((sum, batch) => sum + batch.count, 0);
  const pixelsEach = batches.length === 0 ? 0 : batches[0]!.pixels.length / batches[0]!.count;
  const joined = {
    pixels: new Uint8Array(count * pixelsEach),
    flips: new Uint8Array(count),
    labels: new Int32Array(count),
    count,
  };
  let at = 0;
  for (const { pixels, flips, labels, count: images } of batches) {
    joined.pixels.set(pixels, at * pixelsEach);
    joined.flips.set(flips, at);
    joined.labels.set(labels, at);
    at += images;
  }
  return joined;
}
