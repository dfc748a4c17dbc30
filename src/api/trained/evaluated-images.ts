/** Finds the images that a model is evaluated on: those that `--data` names, or those of its run. */
import { scanOptionsOf } from '../../run/config/scan-options.js';
import { evaluatedFolders, holdsSplits } from '../../run/dataset/dataset-layout.js';
import { scanDataset, scanImages, type ScanOptions } from '../../run/dataset/dataset-scan.js';
import { requireDirectory } from '../../run/dataset/dataset-survey.js';
import type { ManifestSample } from '../../run/dataset/manifest.js';
import { coded } from '../../errors/errors.js';
import { optionsOfRun, requireDataOf } from '../resumed-run.js';
import type { StoredRun } from '../../run/folder/run-checkpoint.js';

export interface ImageOptions {
  readonly data?: string | undefined;
  readonly exclude?: string | undefined;
  /** Called with findings about the images. */
  readonly onNote?: (text: string) => void;
}

export interface EvaluatedImages {
  /** The samples' paths are relative to it. */
  readonly root: string;
  readonly samples: readonly ManifestSample[];
}

/** The folder, and the images in it to leave out. @param path of the run or checkpoint, as it was given */
async function placeOf(
  stored: StoredRun,
  path: string,
  { data, exclude }: ImageOptions,
): Promise<{ readonly root: string; readonly exclude: string | null }> {
  if (data !== undefined) return { root: data, exclude: exclude ?? null };
  if (stored.manifestDigest === '') throw coded('MODEL_WITHOUT_DATA', { path });
  const run = await optionsOfRun(path, stored.config);
  const root = String(run.values.data);
  requireDataOf(run.path, root);
  const excluded = exclude ?? run.values.exclude;
  return { root, exclude: typeof excluded === 'string' ? excluded : null };
}

/**
 * The test split of a data set, else its validation images, or all images of a folder that holds class folders itself.
 * `onBroken` is that of a scan.
 */
export async function evaluatedImages(
  stored: StoredRun,
  path: string,
  options: ImageOptions,
  onBroken: NonNullable<ScanOptions['onBroken']> | null,
): Promise<EvaluatedImages> {
  const { root, exclude } = await placeOf(stored, path, options);
  const { classes } = stored;
  const say = options.onNote ?? ((): void => undefined);
  await requireDirectory(root);
  if (!(await holdsSplits(root, classes))) {
    const { samples } = await scanImages(root, classes, { exclude, say, onBroken });
    return { root, samples };
  }
  const folders = await evaluatedFolders(root);
  const { valSplit } = scanOptionsOf(stored.config);
  // Validation images that were taken from train are evaluated only on the run's own data.
  const divided = folders.val === null && options.data === undefined ? valSplit : null;
  // If files of train were left out, it would be divided differently, and images that the run trained on might
  // be evaluated.
  const leftOut = divided === null ? onBroken : null;
  const manifest = await scanDataset(root, { exclude, say, valSplit: divided, onBroken: leftOut });
  const [own, given] = [new Set(classes), new Set(manifest.classes)];
  const unknown = manifest.classes.find((name) => !own.has(name));
  const missing = classes.find((name) => !given.has(name));
  if (unknown !== undefined || missing !== undefined) {
    const difference = unknown === undefined ? `"${missing}" is missing` : `"${unknown}" is none of them`;
    throw coded('DATA_OTHER_CLASSES', { path: root, difference });
  }
  const { test, val } = manifest;
  const samples = test.samples.length > 0 ? test.samples : val.samples;
  // A published model has its classes in an order of its own, a data set in that of their names.
  const labels = manifest.classes.map((name) => classes.indexOf(name));
  return {
    root,
    samples: samples.map((sample) => Object.assign({}, sample, { label: labels[sample.label]! })),
  };
}
