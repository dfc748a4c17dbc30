/** Opens published weights: a file of any format, or a folder as Hugging Face and timm lay it out. */
import { basename, dirname, join } from 'node:path';
import { coded } from '../errors/errors.js';
import type { Disk } from '../host/disk.js';
import { classNames } from './class-names.js';
import { ByteSource, weightsReadError } from './file/byte-source.js';
import { openTensorFile, weightFileAmong } from './file/open-tensor-file.js';
import type { TensorFile } from './file/tensor-file.js';
import { malformed } from './format/malformed.js';
import { recognise } from './names/recognise.js';
import type { SourceModel } from './names/source-model.js';
import { preprocessingOfTimm, tellsOfImages } from './preprocessing-timm.js';
import { preprocessingOfTorchvision } from './preprocessing-torchvision.js';
import { preprocessingOfTransformers } from './preprocessing-transformers.js';
import type { SourcePreprocessing } from './preprocessing.js';

export interface PublishedModel {
  readonly file: TensorFile;
  readonly model: SourceModel;
  /** What is done with images before the model sees them; null if nothing tells it. */
  readonly preprocessing: SourcePreprocessing | null;
  /** Whether a file tells it; if none does, it is what the library does. */
  readonly tellsOfImages: boolean;
  /** Names of the classes, or their numbers, in the order of the logits; none if the file has no head. */
  readonly classes: readonly string[];
}

const CONFIG = 'config.json';
const PREPROCESSOR = 'preprocessor_config.json';
/** A config.json names classes, perhaps 21,843 of them, and is still far shorter than this. */
const LONGEST_CONFIG = 16 * 2 ** 20;

async function jsonAt(disk: Disk, path: string): Promise<Readonly<Record<string, unknown>> | null> {
  if ((await disk.kindOf(path)) !== 'file') return null;
  const source = await ByteSource.open(disk, path);
  try {
    if (source.size > LONGEST_CONFIG) throw malformed(path, 'JSON', `it has ${source.size} bytes`);
    const value: unknown = JSON.parse(new TextDecoder().decode(await source.read(0, source.size)));
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
    throw malformed(path, 'JSON', 'it is not an object');
  } catch (thrown) {
    if (thrown instanceof SyntaxError) throw malformed(path, 'JSON', thrown.message);
    throw thrown;
  } finally {
    await source.close();
  }
}

/** The file of weights at `path`: itself, or the one in a folder. */
async function weightFileAt(disk: Disk, path: string): Promise<string> {
  try {
    const kind = await disk.kindOf(path);
    if (kind === null) throw coded('CHECKPOINT_NOT_FOUND', { path });
    if (kind === 'file') return path;
    const name = weightFileAmong(await disk.list(path));
    if (name === null) throw coded('WEIGHTS_FORMAT_UNKNOWN', { path, what: 'a folder without weights' });
    return join(path, name);
  } catch (thrown) {
    throw weightsReadError(path, thrown);
  }
}

/** What the files beside the weights say of images. @throws PREPROCESSING_UNSUPPORTED, WEIGHTS_MALFORMED */
async function preprocessingOf(
  disk: Disk,
  folder: string,
  { library }: SourceModel,
  config: Readonly<Record<string, unknown>> | null,
): Promise<SourcePreprocessing | null> {
  if (library === 'timm') {
    const told = config !== null && tellsOfImages(config);
    return told ? preprocessingOfTimm(join(folder, CONFIG), config) : null;
  }
  if (library === 'vit_jax') return null;
  const path = join(folder, PREPROCESSOR);
  const preprocessor = await jsonAt(disk, path);
  return preprocessor === null ? null : preprocessingOfTransformers(path, preprocessor);
}

/**
 * @param heads of the attention, as the user named the model; null if no model was named
 * @throws WEIGHTS_*, CHECKPOINT_NOT_FOUND
 */
export async function openPublishedModel(
  disk: Disk,
  path: string,
  heads: number | null,
): Promise<PublishedModel> {
  const weights = await weightFileAt(disk, path);
  const folder = dirname(weights);
  const config = await jsonAt(disk, join(folder, CONFIG));
  const file = await openTensorFile(disk, weights);
  try {
    const model = recognise(weights, file.tensors, { config, heads });
    const told = await preprocessingOf(disk, folder, model, config);
    const own =
      model.library === 'torchvision' ? preprocessingOfTorchvision(basename(weights), model.spec) : null;
    const classes = classNames(config, model.spec.classes);
    return { file, model, preprocessing: told ?? own, tellsOfImages: told !== null, classes };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}
