/** Opens weights of other programs, exported models among them, as a model that evaluates and predicts. */
import { coded } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { resolveConfig } from '../../run/config/config.js';
import { positionInterpolationOf, publishedConfig } from '../../run/folder/published-options.js';
import type { StoredRun } from '../../run/folder/run-checkpoint.js';
import { initialRunState } from '../../run/journal/run-state.js';
import { modelSpec, type ModelSpec } from '../../run/model/model-spec.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import { adaptWeights } from '../../run/model/weight-adaptation.js';
import { openPublishedModel, type PublishedModel } from '../../weights/published-model.js';
import { readModelWeights } from '../../weights/weight-reading.js';

export interface PublishedWeights {
  /** What a checkpoint would have stored: a run of no steps on no data. */
  readonly stored: StoredRun;
  readonly spec: ModelSpec;
  /** Flat, in layout order. */
  readonly weights: Float32Array;
  /** What was assumed because no file says it; null for nothing. */
  readonly assumed: string | null;
}

function assumption({ preprocessing, tellsOfImages }: PublishedModel, path: string): string | null {
  if (tellsOfImages) return null;
  if (preprocessing === null) {
    return `no file says what ${path} does with images: their centre is taken, with values from -1 to 1`;
  }
  const { interpolation, cropFraction } = preprocessing;
  return `no file says what ${path} does with images: torchvision's mean and deviation are taken, ${interpolation} interpolation, and --crop-fraction ${Number(cropFraction.toFixed(4))}`;
}

/**
 * The model at `path` with its own head, for images as its files describe them. Another image size than that of its
 * positions interpolates them as the model's library does.
 * @param path a file of weights or a folder of Hugging Face or timm
 * @throws WEIGHTS_*, PREPROCESSING_UNSUPPORTED, CHECKPOINT_NOT_FOUND
 */
export async function publishedWeights(disk: Disk, path: string): Promise<PublishedWeights> {
  const opened = await openPublishedModel(disk, path, null);
  try {
    const { file, model, classes } = opened;
    if (classes.length < 2) throw coded('WEIGHTS_WITHOUT_HEAD', { path });
    // A run that begins with these weights has another head, and here it is theirs.
    const flags = { data: path, out: path, preLogits: model.spec.preLogits };
    const config = resolveConfig({ flags, published: publishedConfig(opened) });
    const spec = modelSpec(config.model, { ...config, classes: classes.length });
    const flat = await readModelWeights(file, model);
    const positions = positionInterpolationOf(model.library);
    const weights = adaptWeights(model.spec, flat, spec, path, { keepHead: true, positions });
    const run = initialRunState(parameterLayout(spec).slots.length);
    const stored = { run, config, classes, manifestDigest: '', backend: '' };
    return { stored, spec, weights, assumed: assumption(opened, path) };
  } finally {
    await opened.file.close();
  }
}
