/** Summarises a split: the number of images, and their sizes. */
import { countsByLabel, type SplitSurvey } from '../../run/dataset/dataset-survey.js';

export interface Spread {
  readonly min: number;
  /** The median; of an even number of values, the lower one of the two in the middle. */
  readonly median: number;
  readonly max: number;
}

export interface SplitCheck {
  /** The folder's name. */
  readonly name: string;
  /** The number of images, including those that do not decode. */
  readonly images: number;
  /** Images by class name. */
  readonly perClass: Readonly<Record<string, number>>;
  /** In pixels, of the images that decode; null if there are none. */
  readonly width: Spread | null;
  readonly height: Spread | null;
  /** File sizes. */
  readonly bytes: Spread | null;
}

/** Smallest, median and largest of `values`. */
export function spreadOf(values: Iterable<number>): Spread | null {
  const sorted = Float64Array.from(values).sort();
  const [min, median, max] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)];
  return min === undefined || median === undefined || max === undefined ? null : { min, median, max };
}

/**
 * `from` is the position of the split's first image in `widths` and `heights`, where 0 stands for an image
 * that does not decode.
 */
export function splitCheck(
  classes: readonly string[],
  { name, samples }: SplitSurvey,
  from: number,
  { widths, heights }: { readonly widths: Uint32Array; readonly heights: Uint32Array },
): SplitCheck {
  const counts = countsByLabel(classes, samples);
  const decoded = (sizes: Uint32Array): Uint32Array =>
    sizes.subarray(from, from + samples.length).filter((size) => size > 0);
  return {
    name,
    images: samples.length,
    perClass: Object.fromEntries(classes.map((of, label) => [of, counts[label]!])),
    width: spreadOf(decoded(widths)),
    height: spreadOf(decoded(heights)),
    bytes: spreadOf(Float64Array.from(samples, ({ bytes }) => bytes)),
  };
}
