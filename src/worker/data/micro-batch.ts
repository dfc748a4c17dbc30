/** The request of the step loop to the image loader, and the answer. */
import type { EvaluatedSplit, ManifestSample } from '../../run/dataset/manifest.js';
import type { TransformSpec } from './transform.js';

export type Split = 'train' | EvaluatedSplit;

export const SPLITS: readonly Split[] = ['train', 'val', 'test'];

export interface BatchRequest {
  readonly split: Split;
  /** The random augmentation follows from it. It has no influence if there is no augmentation. */
  readonly epoch: number;
  /** Positions in the split's manifest, in the order of the rows of the answer. */
  readonly samples: readonly number[];
  /** True for the training view, which may be random; false for the evaluation view. */
  readonly augment: boolean;
}

export interface MicroBatch {
  /** Shape [count, S, S, 3], 8 bits a channel. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** Shape [count]: 1 if the model sees the mirror image. */
  readonly flips: Uint8Array<ArrayBuffer>;
  /** Shape [count]. */
  readonly labels: Int32Array<ArrayBuffer>;
  readonly count: number;
}

/** The source of micro-batches, and how they are made. */
export interface BatchSource {
  /** The folder that the samples' paths are relative to. */
  readonly root: string;
  /** The splits that requests may name. */
  readonly splits: Readonly<Partial<Record<Split, readonly ManifestSample[]>>>;
  readonly transform: TransformSpec;
  /** Limit of the cache of pixels; 0 for none. */
  readonly cacheBytes: number;
}

/** Sums since the loader started. */
export interface LoaderStatistics {
  readonly decodedImages: number;
  readonly cacheHits: number;
  readonly cachedBytes: number;
  /** Time in which at least one request was being worked on. */
  readonly busyMs: number;
}

/** Equal for equal requests. */
export function requestKey({ split, epoch, samples, augment }: BatchRequest): string {
  return `${split} ${epoch} ${augment} ${samples.join()}`;
}
