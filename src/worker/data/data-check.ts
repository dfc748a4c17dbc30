/** Decodes every image of a data set and says what is broken or strange, how many there are of each class, how large. */
import { join } from 'node:path';
import { manifestOf, surveyDataset } from '../../shared/dataset/dataset-scan.js';
import { countsByLabel, type DatasetSurvey, type SplitSurvey } from '../../shared/dataset/dataset-survey.js';
import type { Finding } from '../../shared/dataset/findings.js';
import type { BrokenFile } from '../../shared/dataset/folder-entries.js';
import type { ManifestSample } from '../../shared/dataset/manifest.js';
import { plainError, reasonOf, VitrailError, type PlainError } from '../../shared/errors.js';
import { decodeImage } from './image-decoder.js';

/** A little more than the threads of Node's pool, so that none of them waits. */
const DECODES_AT_ONCE = 8;

export interface Spread {
  readonly min: number;
  /** The lower one of the two in the middle. */
  readonly median: number;
  readonly max: number;
}

export interface SplitCheck {
  /** The folder's name. */
  readonly name: string;
  /** Those that do not decode included. */
  readonly images: number;
  /** Images by class name. */
  readonly perClass: Readonly<Record<string, number>>;
  /** In pixels, of the images that decode; null if there are none. */
  readonly width: Spread | null;
  readonly height: Spread | null;
  /** File sizes. */
  readonly bytes: Spread | null;
}

export interface DataCheck {
  readonly classes: readonly string[];
  /** Of the manifest, were nothing broken. */
  readonly digest: string;
  /** Train first. */
  readonly splits: readonly SplitCheck[];
  /** First what cannot be read at all, then what does not decode, each split after split. */
  readonly broken: readonly BrokenFile[];
  readonly findings: readonly Finding[];
  /** Why the data set as a whole cannot be trained on. */
  readonly problems: readonly PlainError[];
}

export interface DataCheckOptions {
  /** Path of an exclude list, or null. */
  readonly exclude?: string | null;
  /** Called after every image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a decode has shown, in flat arrays: a data set may have millions of images. */
interface Shown {
  readonly widths: Uint32Array;
  readonly heights: Uint32Array;
  /** By position. */
  readonly faults: Map<number, string>;
}

/** Least, middle and largest of `values`. */
export function spreadOf(values: Iterable<number>): Spread | null {
  const sorted = Float64Array.from(values).sort();
  const [min, median, max] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)];
  return min === undefined || median === undefined || max === undefined ? null : { min, median, max };
}

/** The reason without the path, which stands next to it already. */
function reasonAlone(thrown: unknown): string {
  const problem = thrown instanceof VitrailError ? thrown.problem : reasonOf(thrown);
  return problem.replace(/^cannot (?:decode the image|read) .*?: /s, '');
}

async function decodeAll(
  root: string,
  samples: readonly ManifestSample[],
  onProgress: (done: number, total: number) => void,
): Promise<Shown> {
  const { length } = samples;
  const shown: Shown = {
    widths: new Uint32Array(length),
    heights: new Uint32Array(length),
    faults: new Map(),
  };
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < length) {
      const at = next++;
      try {
        const image = await decodeImage(join(root, samples[at]!.path));
        shown.widths[at] = image.width;
        shown.heights[at] = image.height;
      } catch (thrown) {
        shown.faults.set(at, reasonAlone(thrown));
      }
      onProgress(++done, length);
    }
  };
  await Promise.all(Array.from({ length: DECODES_AT_ONCE }, lane));
  return shown;
}

function splitCheck(
  classes: readonly string[],
  { name, samples }: SplitSurvey,
  from: number,
  { widths, heights }: Shown,
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

/** Checks what a survey of `root` has found. */
async function checkSurvey(
  root: string,
  survey: DatasetSurvey,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<DataCheck> {
  const { classes, splits } = survey;
  const samples = splits.flatMap((split) => split.samples);
  const starts: number[] = [];
  for (const split of splits) starts.push((starts.at(-1) ?? 0) + split.samples.length);

  const shown = await decodeAll(root, samples, onProgress);
  const faults = [...shown.faults].sort(([a], [b]) => a - b);
  return {
    classes,
    digest: manifestOf(survey).digest,
    splits: splits.map((split, i) => splitCheck(classes, split, i === 0 ? 0 : starts[i - 1]!, shown)),
    broken: [...survey.broken, ...faults.map(([at, reason]) => ({ path: samples[at]!.path, reason }))],
    findings: survey.findings,
    problems: survey.problems.map(plainError),
  };
}

/**
 * Checks the data folder `dir`.
 * @throws what surveyDataset throws; broken images and unfit classes are results, not errors
 */
export async function checkDataset(dir: string, options: DataCheckOptions = {}): Promise<DataCheck> {
  return checkSurvey(dir, await surveyDataset(dir, options.exclude ?? null), options.onProgress);
}
