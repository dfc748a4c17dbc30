/** The options of a run that follow from the weights that it starts from. */
import { basename } from 'node:path';
import { readCheckpointState } from '../checkpoint/checkpoint-reader.js';
import { resolveCheckpoint } from '../checkpoint/checkpoint-store.js';
import { isForeign } from '../checkpoint/foreign-checkpoint.js';
import type { OptionValues } from '../config/config.js';
import type { RunConfigKey } from '../config/schema.js';
import type { Disk } from '../../host/disk.js';
import type { ModelSpec } from '../model/model-spec.js';
import type { PositionInterpolation } from '../model/position-interpolation.js';
import { isHubName } from '../../weights/hub/hub-name.js';
import { localWeights } from '../../weights/hub/system-hub.js';
import { storedRun } from './run-checkpoint.js';
import type { Library } from '../../weights/names/source-model.js';
import { openPublishedModel, type PublishedModel } from '../../weights/published-model.js';

/** Fields of a model that are options of a run as well. */
const MODEL_OPTIONS = [
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
] as const satisfies readonly (keyof ModelSpec & RunConfigKey)[];

/** The options that describe a published model, and what it does with images. */
export function publishedConfig({ model: { spec }, preprocessing }: PublishedModel): OptionValues {
  const features = Object.fromEntries(MODEL_OPTIONS.map((key) => [key, spec[key]]));
  const options = { model: spec.name, ...features };
  if (preprocessing === null) return options;
  const { imageSize, ...images } = preprocessing;
  // DINOv2 has positions for 518 pixels and is used with 224.
  return { ...options, ...images, imageSize: imageSize % spec.patch === 0 ? imageSize : spec.imageSize };
}

/** What is done with images. */
const IMAGE_OPTIONS = ['transform', 'mean', 'std', 'interpolation', 'cropMode', 'cropFraction'] as const;
/** Which weights it was. */
const SOURCE_OPTIONS = ['initFrom', 'initDigest', 'initCommit'] as const;

function pick(values: OptionValues, keys: readonly RunConfigKey[]): OptionValues {
  return Object.fromEntries(keys.filter((key) => key in values).map((key) => [key, values[key]]));
}

/** The options of a run that has begun which its weights had decided. */
export function notedOptions(values: OptionValues): OptionValues {
  return pick(values, ['model', ...MODEL_OPTIONS, ...IMAGE_OPTIONS, ...SOURCE_OPTIONS]);
}

/** What a run of ours says of its model and of images. @throws CHECKPOINT_* */
async function ownOptions(disk: Disk, path: string): Promise<OptionValues> {
  // Reading the weights will warn of what is damaged.
  const folder = await resolveCheckpoint(disk, path, () => undefined);
  const { config } = storedRun(folder, (await readCheckpointState(disk, folder)).state);
  return pick(config, ['model', ...MODEL_OPTIONS, ...IMAGE_OPTIONS]);
}

/** The weights that a new run is to start from. */
export interface OptionSource {
  /** A path, or the name of a model of a hub. */
  readonly from: string;
  /** The commit that the name stands for; null for what it stood for when it was last fetched. */
  readonly commit: string | null;
  /** As in `openPublishedModel`. */
  readonly heads: number | null;
}

/** The options that name the commit at which the weights lie; none for weights that are of no hub. */
function commitOf(from: string, folder: string): OptionValues {
  return isHubName(from) ? { initFrom: from, initCommit: basename(folder) } : {};
}

/**
 * The options that describe the model that a run starts from, and what is done with images.
 * @throws CHECKPOINT_*, WEIGHTS_*, HUB_NOT_CACHED
 */
export async function publishedOptions(
  disk: Disk,
  { from, commit, heads }: OptionSource,
): Promise<OptionValues> {
  const path = await localWeights(from, commit);
  if (!(await isForeign(disk, path))) return ownOptions(disk, path);
  const opened = await openPublishedModel(disk, path, heads);
  await opened.file.close();
  return { ...publishedConfig(opened), ...commitOf(from, path) };
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
