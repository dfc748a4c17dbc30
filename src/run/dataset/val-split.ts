/** `--val-split`: decides which training images are kept back to choose the best checkpoint by. Pure. */
import { KeyedRandom, PURPOSE } from '../../numbers/random/keyed-random.js';
import type { ManifestSample } from './manifest.js';
import { byCodePoints } from './name-order.js';

export interface ValSplit {
  /** Share of each class, above 0 and below 1. */
  readonly share: number;
  readonly seed: number;
}

/** Both lists keep the order of the images. */
export interface DividedTrain {
  readonly train: readonly ManifestSample[];
  readonly val: readonly ManifestSample[];
}

/** FNV-1a over UTF-16 code units. A path is hashed to two words, each with another start value. */
function hashOf(path: string, start: number): number {
  let hash = start;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * The rank of an image in its class. It follows from seed and path only, so other images may be added or
 * removed.
 */
function rank(seed: number, path: string): number {
  const random = new KeyedRandom(seed, PURPOSE.valSplit, hashOf(path, 0x811c9dc5), hashOf(path, 0x01000193));
  return random.uint32() * 2 ** 21 + (random.uint32() >>> 11);
}

/** How many images of a class are kept back: at least one if it has two, and never all. */
function countOf(images: number, share: number): number {
  return Math.min(images - 1, Math.max(1, Math.round(images * share)));
}

/** Takes `share` of the images of each class out of `train`, those with the lowest ranks. */
export function divideTrain(train: readonly ManifestSample[], { share, seed }: ValSplit): DividedTrain {
  const classes = new Map<number, { readonly path: string; readonly rank: number }[]>();
  for (const { path, label } of train) {
    const list = classes.get(label) ?? [];
    list.push({ path, rank: rank(seed, path) });
    classes.set(label, list);
  }
  const taken = new Set<string>();
  for (const list of classes.values()) {
    list.sort((a, b) => a.rank - b.rank || byCodePoints(a.path, b.path));
    for (const { path } of list.slice(0, countOf(list.length, share))) taken.add(path);
  }
  return {
    train: train.filter(({ path }) => !taken.has(path)),
    val: train.filter(({ path }) => taken.has(path)),
  };
}
