/** The weights that a run starts from: those of another run, or published ones. */
import { isForeign } from '../checkpoint/foreign-checkpoint.js';
import type { OptionValues } from '../config/config.js';
import { OPTION_KEYS } from '../config/option-name.js';
import type { RunConfig } from '../config/schema.js';
import type { Disk } from '../../host/disk.js';
import type { ModelSpec } from '../model/model-spec.js';
import { adaptWeights } from '../model/weight-adaptation.js';
import type { PositionInterpolation } from '../model/position-interpolation.js';
import { areNumbers } from '../../weights/class-names.js';
import type { Library } from '../../weights/names/source-model.js';
import { openPublishedModel, type PublishedModel } from '../../weights/published-model.js';
import { localWeights } from '../../weights/hub/system-hub.js';
import { readModelWeights } from '../../weights/weight-reading.js';
import { openRunCheckpoint } from './run-checkpoint.js';

export interface WeightTarget {
  readonly config: Pick<RunConfig, 'positionInterpolation'>;
  readonly spec: ModelSpec;
  /** In the order of the logits. */
  readonly classes: readonly string[];
  readonly warn: (text: string) => void;
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, i) => name === other[i]);
}

/**
 * Weights of `path`, fitted to the model (Table 4 of arXiv 2010.11929: new head, interpolated positions). A head is
 * kept if it is for the same classes, in the same order. Published weights may only number theirs, and then as many will do.
 * @param from a path, or the name of a model of a hub, which is in the cache
 * @throws CHECKPOINT_*, WEIGHTS_*, HUB_NOT_CACHED
 */
export async function initialWeights(disk: Disk, from: string, target: WeightTarget): Promise<Float32Array> {
  const path = await localWeights(from);
  const { spec, classes, warn } = target;
  const positions = target.config.positionInterpolation;
  if (await isForeign(disk, path)) {
    const { file, model, classes: known } = await openPublishedModel(disk, path, spec.heads);
    try {
      const flat = await readModelWeights(file, model);
      const keepHead = areNumbers(known) || sameNames(known, classes);
      if (!keepHead && known.length === classes.length) {
        warn(`${path} is for as many classes, but for others or in another order: the head starts anew`);
      }
      return adaptWeights(model.spec, flat, spec, path, { keepHead, positions });
    } finally {
      await file.close();
    }
  }
  const source = await openRunCheckpoint(disk, path, (rejected, error) =>
    warn(`${rejected}: ${error.problem}`),
  );
  const keepHead = sameNames(source.stored.classes, classes);
  const { checkpoint } = source;
  return adaptWeights(source.spec, checkpoint.weights, spec, checkpoint.path, { keepHead, positions });
}

/** Fields of a model that are options of a run as well. */
const MODEL_OPTIONS: readonly (keyof ModelSpec)[] = [
  'imageSize',
  'gelu',
  'pooling',
  'lastNorm',
  'layerScale',
  'registers',
  'distillation',
  'layerNormEpsilon',
  'qkvBias',
  'positions',
];

/** The options that describe a published model, and what it does with images. */
export function publishedConfig({ model: { spec }, preprocessing }: PublishedModel): OptionValues {
  const options: Record<string, unknown> = { model: spec.name };
  for (const key of MODEL_OPTIONS) if (OPTION_KEYS.some((option) => option === key)) options[key] = spec[key];
  if (preprocessing === null) return options;
  const { imageSize, ...images } = preprocessing;
  // DINOv2 has positions for 518 pixels and is used with 224.
  return { ...options, ...images, imageSize: imageSize % spec.patch === 0 ? imageSize : spec.imageSize };
}

/** How a library carries positions over to another image size. */
export function positionInterpolationOf(library: Library): PositionInterpolation {
  return INTERPOLATION_OF[library];
}

const INTERPOLATION_OF: Readonly<Record<Library, PositionInterpolation>> = {
  timm: 'bicubic-antialias',
  'Hugging Face': 'bicubic',
  torchvision: 'bicubic-aligned',
  vit_jax: 'bilinear',
};

/**
 * The options that describe the published model at `path`, and what it does with images; none for a run of ours.
 * @param heads as in `openPublishedModel`
 * @throws CHECKPOINT_UNREADABLE, WEIGHTS_*
 */
export async function publishedOptions(
  disk: Disk,
  from: string,
  heads: number | null,
): Promise<OptionValues> {
  const path = await localWeights(from);
  if (!(await isForeign(disk, path))) return {};
  const opened = await openPublishedModel(disk, path, heads);
  await opened.file.close();
  return publishedConfig(opened);
}
