/**
 * Decodes every image of a data set; reports what is broken or strange, and the number and sizes of each
 * class's images.
 */
import { join } from 'node:path';
import { manifestOf, surveyDataset } from '../../run/dataset/dataset-scan.js';
import type { DatasetSurvey } from '../../run/dataset/dataset-survey.js';
import { FindingTally, type Finding } from '../../run/dataset/findings.js';
import type { BrokenFile } from '../../run/dataset/folder-entries.js';
import type { ManifestSample } from '../../run/dataset/manifest.js';
import { pathText } from '../../run/dataset/path-text.js';
import { plainError, reasonOf, VitrailError, type PlainError } from '../../errors/errors.js';
import { decodeImage } from './image-decoder.js';
import { emptyLook, type EmptyLook } from './picture-look.js';
import { findRepeated } from './repeated-pictures.js';
import { splitCheck, type SplitCheck } from './split-check.js';
import { isWhollyTransparent } from './transparency.js';

/** A little more than the threads of Node's pool, so that none of them waits. */
const DECODES_AT_ONCE = 8;

export interface DataCheck {
  readonly classes: readonly string[];
  /** The classes that the manifest would have if no file were broken. */
  readonly digest: string;
  /** Train first. */
  readonly splits: readonly SplitCheck[];
  /**
   * First the files that cannot be read, then those that do not decode; each list in the order of the splits.
   */
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
  /** Ends the check, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Results of decoding, in flat arrays because a data set may have millions of images. */
interface Shown {
  readonly widths: Uint32Array;
  readonly heights: Uint32Array;
  readonly looks: (EmptyLook | null)[];
  /** By position. */
  readonly faults: Map<number, string>;
}

/** The reason without the path, because the path is printed next to it. */
function reasonAlone(thrown: unknown): string {
  const problem = thrown instanceof VitrailError ? thrown.problem : reasonOf(thrown);
  return problem.replace(/^cannot (?:decode the image|read) .*?: /s, '');
}

async function decodeAll(
  root: string,
  samples: readonly ManifestSample[],
  { onProgress, signal }: DataCheckOptions,
): Promise<Shown> {
  const { length } = samples;
  const shown: Shown = {
    widths: new Uint32Array(length),
    heights: new Uint32Array(length),
    looks: new Array<EmptyLook | null>(length).fill(null),
    faults: new Map(),
  };
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < length) {
      signal?.throwIfAborted();
      const at = next++;
      const path = join(root, samples[at]!.path);
      try {
        const image = await decodeImage(path);
        shown.widths[at] = image.width;
        shown.heights[at] = image.height;
        shown.looks[at] = emptyLook(image, await isWhollyTransparent(path));
      } catch (thrown) {
        shown.faults.set(at, reasonAlone(thrown));
      }
      onProgress?.(++done, length);
    }
  };
  await Promise.all(Array.from({ length: DECODES_AT_ONCE }, lane));
  return shown;
}

/** Checks the files that a survey of `root` has found. */
async function checkSurvey(
  root: string,
  survey: DatasetSurvey,
  options: DataCheckOptions,
): Promise<DataCheck> {
  const { classes, splits } = survey;
  const samples = splits.flatMap((split) => split.samples);
  const ends: number[] = [];
  for (const split of splits) ends.push((ends.at(-1) ?? 0) + split.samples.length);
  const splitAt = (at: number): number => ends.findIndex((end) => at < end);

  const shown = await decodeAll(root, samples, options);
  options.signal?.throwIfAborted();
  const tally = new FindingTally();
  await findRepeated(root, samples, splitAt, shown.faults, tally);
  for (const [at, look] of shown.looks.entries()) {
    if (look !== null) tally.add(look, pathText(samples[at]!.path));
  }
  const faults = [...shown.faults].sort(([a], [b]) => a - b);
  return {
    classes,
    digest: manifestOf(survey).digest,
    splits: splits.map((split, i) => splitCheck(classes, split, i === 0 ? 0 : ends[i - 1]!, shown)),
    broken: [...survey.broken, ...faults.map(([at, reason]) => ({ path: samples[at]!.path, reason }))],
    findings: [...survey.findings, ...tally.findings()],
    problems: survey.problems.map(plainError),
  };
}

/**
 * Checks the data folder `dir`.
 * @throws what surveyDataset throws; broken images and unfit classes are results, not errors
 */
export async function checkDataset(dir: string, options: DataCheckOptions = {}): Promise<DataCheck> {
  return checkSurvey(dir, await surveyDataset(dir, options.exclude ?? null), options);
}
