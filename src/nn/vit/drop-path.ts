/**
 * Stochastic depth (arXiv 1603.09382): drops whole branches of single samples. What is dropped is a pure function of
 * seed, step, micro-batch, branch and the sample's place in the micro-batch.
 */
import { PURPOSE } from '../../numbers/random/keyed-random.js';
import { philox4x32 } from '../../numbers/random/philox.js';
import type { DropoutKey } from '../../kernels/dropout-mask.js';

export interface DropPath {
  /** The rate in the last block; it grows linearly with depth from 0 in the first. */
  readonly rate: number;
  /** L */
  readonly layers: number;
  readonly key: Omit<DropoutKey, 'rate'>;
}

/** The branches of a block. The numbers are part of a run's identity. */
export const BRANCH = { attention: 0, mlp: 1 } as const;

export interface DroppedSamples {
  /** Places in the micro-batch, rising. */
  readonly dropped: readonly number[];
  /** 1 / (1 - rate), by which the branch of every other sample is multiplied. */
  readonly kept: number;
}

/** What drops out of a branch; undefined if nothing can. @param images samples of the micro-batch */
export function droppedSamples(
  dropPath: DropPath | undefined,
  layer: number,
  branch: 0 | 1,
  images: number,
): DroppedSamples | undefined {
  if (dropPath === undefined || dropPath.layers < 2) return undefined;
  const rate = (dropPath.rate * layer) / (dropPath.layers - 1);
  if (rate === 0) return undefined;
  const { seed, microBatch, step } = dropPath.key;
  const words = new Uint32Array(4);
  const dropped: number[] = [];
  for (let image = 0; image < images; image++) {
    if (image % 4 === 0) {
      philox4x32([seed, PURPOSE.dropPath], [image / 4, 2 * layer + branch, microBatch, step], words);
    }
    if ((words[image % 4]! + 0.5) / 0x100000000 < rate) dropped.push(image);
  }
  return { dropped, kept: 1 / (1 - rate) };
}
