/** `exportModel`: a trained model as a folder that other libraries open. */
import { basename, dirname, join, resolve } from 'node:path';
import { coded, reasonOf, VitrailError } from '../errors/errors.js';
import { makeFolders, unfinishedPath } from '../host/atomic-file.js';
import { nodeDisk, type Disk } from '../host/disk.js';
import { thisProcess } from '../host/process.js';
import { weightDigest } from '../run/checkpoint/weight-digest.js';
import type { RunConfig } from '../run/config/schema.js';
import { openRunCheckpoint, type RunCheckpoint } from '../run/folder/run-checkpoint.js';
import { evaluationView } from '../run/model/evaluation-view.js';
import { exportedTensors, type WeightsFormat } from '../weights/export/exported-tensors.js';
import { modelCard } from '../weights/export/model-card.js';
import { timmConfig } from '../weights/export/timm-config.js';
import { transformersConfig, transformersPreprocessor } from '../weights/export/transformers-config.js';
import { jsonText, readExportFolder, writeExportFolder, type FolderContent } from './export/export-folder.js';
import { logitDifference } from './export/logit-difference.js';
import { tellingOptions } from './export/run-options-table.js';
import { decodedImages, joinedBatch } from './trained/decoded-images.js';
import { evaluatedImages } from './trained/evaluated-images.js';
import { engineFor } from './trained/open-model.js';
import type { MicroBatch } from '../worker/data/micro-batch.js';

export type ExportFormat = WeightsFormat;

export interface ExportOptions {
  readonly to: ExportFormat;
  /** The folder to make; if missing, next to the run, with the format's name after a hyphen. */
  readonly out?: string | undefined;
  /** Images to compare logits on, as for `evaluate`; without it the run's. */
  readonly data?: string | undefined;
  readonly backend?: RunConfig['backend'];
  /** Called for checkpoints that are damaged and skipped, and with findings about the images. */
  readonly onNote?: (text: string) => void;
}

export interface ExportResult {
  readonly path: string;
  readonly format: ExportFormat;
  readonly checkpoint: string;
  readonly step: number;
  /** How many images' logits were compared. */
  readonly images: number;
  /** Largest difference of the logits, relative to the largest. */
  readonly difference: number;
  /** SHA-256 over the exported weights. */
  readonly digest: string;
}

/** So few that the largest models take seconds. */
const COMPARED_IMAGES = 8;
/** Formats of float32 keep every bit of the weights. */
const LIMIT = 1e-6;

/** Images that are spread over the list, so that they are of different classes. */
async function comparedImages(
  opened: RunCheckpoint,
  path: string,
  options: ExportOptions,
): Promise<MicroBatch> {
  const { stored } = opened;
  const { data, onNote } = options;
  const note = onNote ?? ((): void => undefined);
  const { root, samples } = await evaluatedImages(stored, path, { data, onNote: note }, null);
  const every = Math.max(1, Math.floor(samples.length / COMPARED_IMAGES));
  const chosen = samples.filter((_, i) => i % every === 0).slice(0, COMPARED_IMAGES);
  const batches: MicroBatch[] = [];
  for await (const image of decodedImages(root, chosen, stored.config)) {
    if (image.kind === 'broken') note(image.error.problem);
    else batches.push(image.batch);
  }
  if (batches.length === 0) throw coded('DATA_ALL_BROKEN', { path: root, images: chosen.length });
  return joinedBatch(batches);
}

function textsOf(opened: RunCheckpoint, weights: Float32Array, format: WeightsFormat): Map<string, string> {
  const { spec, stored } = opened;
  const { config, classes, manifestDigest, run } = stored;
  const view = evaluationView(config, spec.imageSize);
  const texts = new Map<string, string>();
  if (format === 'hf') {
    texts.set('config.json', jsonText(transformersConfig(spec, classes)));
    texts.set('preprocessor_config.json', jsonText(transformersPreprocessor(view)));
  }
  if (format === 'timm') texts.set('config.json', jsonText(timmConfig(spec, view, classes)));
  const best = run.best?.step === run.step ? run.best : null;
  const figures = { step: run.step, best, digest: weightDigest(weights), manifestDigest };
  const card = Object.assign({ format, spec, view, classes, options: tellingOptions(config) }, figures);
  return texts.set('README.md', modelCard(card));
}

/** Removes what an export to the same place left when its process was killed. */
async function removeLeftovers(disk: Disk, path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = basename(unfinishedPath(path, ''));
  for (const name of await disk.list(folder)) {
    if (name.startsWith(prefix)) await disk.removeAll(join(folder, name));
  }
}

/** Makes the folder under a hidden name, and gives it its own if `check` does not throw. */
async function writeWhole(path: string, content: FolderContent, check: (made: string) => Promise<void>) {
  const temporary = unfinishedPath(path, thisProcess.randomId());
  try {
    await makeFolders(nodeDisk, dirname(path));
    await removeLeftovers(nodeDisk, path);
    await writeExportFolder(nodeDisk, temporary, content);
    await check(temporary);
    await nodeDisk.rename(temporary, path);
    await nodeDisk.syncFolder(dirname(path));
  } catch (thrown) {
    await nodeDisk.removeAll(temporary);
    if (thrown instanceof VitrailError && thrown.code !== 'CHECKPOINT_WRITE_FAILED') throw thrown;
    throw coded('EXPORT_WRITE_FAILED', { path, reason: reasonOf(thrown) });
  }
}

/**
 * Writes the model that `openTrainedModel` would open as a folder for another library. What was written is read back and
 * has to give the model's own logits on real images before the folder gets its name.
 * @param path of a run folder or of a checkpoint's folder
 * @throws VitrailError: EXPORT_*, CHECKPOINT_*, DATA_*, RUN_DATA_MISSING, BACKEND_*
 */
export async function exportModel(path: string, options: ExportOptions): Promise<ExportResult> {
  const { to: format, backend = 'auto', onNote = () => undefined } = options;
  const out = resolve(options.out ?? `${path.replace(/\/+$/, '')}-${format}`);
  if ((await nodeDisk.kindOf(out)) !== null) throw coded('EXPORT_EXISTS', { path: out });
  const opened = await openRunCheckpoint(nodeDisk, path, (rejected, error) =>
    onNote(`${rejected} does not verify: ${error.problem}`),
  );
  const { checkpoint, stored, spec } = opened;
  const weights = checkpoint.slots['ema'] ?? checkpoint.weights;
  const tensors = exportedTensors(format, spec);
  const images = await comparedImages(opened, path, options);
  const engine = await engineFor(Object.assign({}, stored.config, { spec, backend }), onNote);
  try {
    const logitsWith = async (flat: Float32Array): Promise<Float32Array> => {
      engine.loadWeights(flat);
      return (await engine.predict(images)).logits;
    };
    const expected = await logitsWith(weights);
    let difference = Infinity;
    const content = { tensors, weights, texts: textsOf(opened, weights, format) };
    await writeWhole(out, content, async (made) => {
      const found = await logitsWith(await readExportFolder(nodeDisk, made, content));
      difference = logitDifference(expected, found);
      if (difference <= LIMIT) return;
      throw coded('EXPORT_DIFFERS', { format, difference: difference.toExponential(2), limit: LIMIT });
    });
    const { step } = stored.run;
    const head = { path: out, format, checkpoint: checkpoint.path, step };
    return Object.assign(head, { images: images.count, difference, digest: weightDigest(weights) });
  } finally {
    engine.dispose();
  }
}
