/** Decodes every image of a data set and says what is broken, how many there are of each class and how large. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scanDataset, type ScanOptions } from '../../shared/dataset/dataset-scan.js';
import { formatExcludeList } from '../../shared/dataset/exclude-list.js';
import type { Manifest, ManifestSample } from '../../shared/dataset/manifest.js';
import { coded, reasonOf, VitrailError } from '../../shared/errors.js';
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
  readonly images: number;
  /** Images by class name, broken ones included. */
  readonly perClass: Readonly<Record<string, number>>;
  /** In pixels, of the images that decode; null if there are none. */
  readonly width: Spread | null;
  readonly height: Spread | null;
  /** File sizes. */
  readonly bytes: Spread | null;
}

export interface BrokenImage {
  /** Relative to the data folder. */
  readonly path: string;
  readonly reason: string;
}

export interface DataCheck {
  readonly classes: readonly string[];
  /** Of the manifest. */
  readonly digest: string;
  readonly train: SplitCheck;
  readonly test: SplitCheck;
  /** In manifest order, train first. */
  readonly broken: readonly BrokenImage[];
}

export interface DataCheckOptions extends ScanOptions {
  /** Called after every image. */
  readonly onProgress?: (done: number, total: number) => void;
}

interface Checked {
  readonly sample: ManifestSample;
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly reason: string;
}

/** Least, middle and largest of `values`. */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = Float64Array.from(values).sort();
  const [min, median, max] = [sorted[0], sorted[(sorted.length - 1) >> 1], sorted.at(-1)];
  return min === undefined || median === undefined || max === undefined ? null : { min, median, max };
}

async function check(root: string, sample: ManifestSample): Promise<Checked> {
  try {
    const { width, height } = await decodeImage(join(root, sample.path));
    return { sample, size: { width, height }, reason: '' };
  } catch (thrown) {
    // The path stands next to the reason already.
    const problem = thrown instanceof VitrailError ? thrown.problem : reasonOf(thrown);
    const reason = problem.replace(/^cannot (?:decode the image|read) .*?: /, '');
    return { sample, size: null, reason };
  }
}

function summary(classes: readonly string[], checked: readonly Checked[]): SplitCheck {
  const counts = classes.map(() => 0);
  for (const { sample } of checked) counts[sample.label]!++;
  const sizes = checked.flatMap(({ size }) => size ?? []);
  return {
    images: checked.length,
    perClass: Object.fromEntries(classes.map((name, label) => [name, counts[label]!])),
    width: spreadOf(sizes.map(({ width }) => width)),
    height: spreadOf(sizes.map(({ height }) => height)),
    bytes: spreadOf(checked.map(({ sample }) => sample.bytes)),
  };
}

/** Checks the samples of a manifest whose paths are relative to `root`. */
export async function checkManifest(
  root: string,
  manifest: Manifest,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<DataCheck> {
  const { classes, digest, train, test } = manifest;
  const samples = [...train.samples, ...test.samples];
  const checked = new Array<Checked>(samples.length);
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < samples.length) {
      const at = next++;
      checked[at] = await check(root, samples[at]!);
      onProgress(++done, samples.length);
    }
  };
  await Promise.all(Array.from({ length: DECODES_AT_ONCE }, lane));
  const broken = checked
    .filter(({ size }) => size === null)
    .map(({ sample, reason }) => ({ path: sample.path, reason }));
  const split = (from: number, to?: number): SplitCheck => summary(classes, checked.slice(from, to));
  const trained = train.samples.length;
  return { classes, digest, train: split(0, trained), test: split(trained), broken };
}

/**
 * Checks the data folder `dir`.
 * @throws what scanDataset throws; broken images are results, not errors
 */
export async function checkDataset(dir: string, options: DataCheckOptions = {}): Promise<DataCheck> {
  return checkManifest(dir, await scanDataset(dir, options), options.onProgress);
}

/** Writes the broken images to `path` as an exclude list, each after its reason. @throws DATA_WRITE_FAILED */
export async function writeExcludeList(path: string, broken: readonly BrokenImage[]): Promise<void> {
  try {
    await writeFile(path, formatExcludeList(broken));
  } catch (thrown) {
    throw coded('DATA_WRITE_FAILED', { path, reason: reasonOf(thrown) });
  }
}
