/** `exportModel`: a trained model as a folder or file that other libraries open. */
import { basename, dirname, join, resolve } from 'node:path';
import { coded, reasonOf, VitrailError } from '../errors/errors.js';
import { makeFolders, unfinishedPath } from '../host/atomic-file.js';
import { nodeDisk, type Disk } from '../host/disk.js';
import { thisProcess } from '../host/process.js';
import { weightDigest } from '../run/checkpoint/weight-digest.js';
import type { RunConfig } from '../run/config/schema.js';
import { openRunCheckpoint, type RunCheckpoint } from '../run/folder/run-checkpoint.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import { requireFinite } from '../weights/file/tensor-file.js';
import { requireExpressible, type WeightsFormat } from '../weights/export/exported-tensors.js';
import type { OnnxPrecision } from '../weights/export/onnx-builder.js';
import {
  folderTarget,
  onnxTarget,
  transformersTarget,
  type ExportTarget,
  type LogitsFrom,
} from './export/export-target.js';
import { logitDifference } from './export/logit-difference.js';
import { comparedBatch, logitsOf, publishedLogits } from './export/compared-logits.js';
import { evaluatedImages, type EvaluatedImages } from './trained/evaluated-images.js';
import type { MicroBatch } from '../worker/data/micro-batch.js';

export type ExportFormat = WeightsFormat | 'onnx';

export interface ExportOptions {
  readonly to: ExportFormat;
  /** Of the numbers in an ONNX file; fp32 if missing. The other formats are fp32. */
  readonly precision?: OnnxPrecision | undefined;
  /** The folder or file to make; if missing, next to the run, with the format's name behind. */
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

/** Images that are spread over the list, so that they are of different classes. */
async function comparedImages(
  { stored }: RunCheckpoint,
  path: string,
  { data, onNote = () => undefined }: ExportOptions,
): Promise<EvaluatedImages> {
  const { root, samples } = await evaluatedImages(stored, path, { data, onNote }, null);
  const every = Math.max(1, Math.floor(samples.length / COMPARED_IMAGES));
  const chosen = samples.filter((_, i) => i % every === 0).slice(0, COMPARED_IMAGES);
  return { root, samples: chosen };
}

/** Removes what an export to the same place left when its process was killed. */
async function removeLeftovers(disk: Disk, path: string): Promise<void> {
  const folder = dirname(path);
  const prefix = basename(unfinishedPath(path, ''));
  for (const name of await disk.list(folder)) {
    if (name.startsWith(prefix)) await disk.removeAll(join(folder, name));
  }
}

/** Writes under a hidden name, which becomes `path` if `check` does not throw. */
async function writeWhole(
  path: string,
  targets: readonly ExportTarget[],
  check: (made: string) => Promise<void>,
) {
  const temporary = unfinishedPath(path, thisProcess.randomId());
  try {
    await makeFolders(nodeDisk, dirname(path));
    await removeLeftovers(nodeDisk, path);
    for (const { write } of targets) await write(temporary);
    await check(temporary);
    await nodeDisk.rename(temporary, path);
    await nodeDisk.syncFolder(dirname(path));
  } catch (thrown) {
    await nodeDisk.removeAll(temporary);
    if (thrown instanceof VitrailError && thrown.code !== 'CHECKPOINT_WRITE_FAILED') throw thrown;
    throw coded('EXPORT_WRITE_FAILED', { path, reason: reasonOf(thrown) });
  }
}

async function targetsOf(
  opened: RunCheckpoint,
  weights: Float32Array,
  images: MicroBatch,
  logitsFrom: LogitsFrom,
  { to, precision = 'fp32', onNote = () => undefined }: ExportOptions,
): Promise<readonly ExportTarget[]> {
  if (to === 'onnx') return [await onnxTarget(opened, weights, images, precision)];
  if (to === 'hf') return transformersTarget(opened, weights, images, logitsFrom, onNote);
  return [folderTarget(opened, weights, to, logitsFrom)];
}

function placeOf(path: string, { to, out }: ExportOptions): string {
  const run = path.replace(/\/+$/, '');
  return resolve(out ?? (to === 'onnx' ? `${run}.onnx` : `${run}-${to}`));
}

/**
 * Writes the model that `openTrainedModel` would open for another library: a folder, or an ONNX file. What was written is
 * read back and has to give the model's own logits on real images before it gets its name.
 * @param path of a run folder or of a checkpoint's folder
 * @throws VitrailError: EXPORT_*, CHECKPOINT_*, DATA_*, RUN_DATA_MISSING, BACKEND_*
 */
export async function exportModel(path: string, options: ExportOptions): Promise<ExportResult> {
  const { to: format, backend = 'auto', onNote = () => undefined } = options;
  const out = placeOf(path, options);
  if ((await nodeDisk.kindOf(out)) !== null) throw coded('EXPORT_EXISTS', { path: out });
  const opened = await openRunCheckpoint(nodeDisk, path, (rejected, error) =>
    onNote(`${rejected} does not verify: ${error.problem}`),
  );
  const { checkpoint, stored, spec } = opened;
  const weights = checkpoint.slots['ema'] ?? checkpoint.weights;
  if (format !== 'onnx') requireExpressible(format, spec);
  for (const { name, offset, length } of parameterLayout(spec).slots) {
    requireFinite(checkpoint.path, name, weights.subarray(offset, offset + length));
  }
  const images = await comparedImages(opened, path, options);
  const compute = { backend, onNote };
  const batch = await comparedBatch(images, stored.config, onNote);
  const expected = await logitsOf({ config: stored.config, spec, weights }, batch, compute);
  const logitsFrom: LogitsFrom = async (folder) => publishedLogits(folder, stored.classes, images, compute);
  const targets = await targetsOf(opened, weights, batch, logitsFrom, options);
  let largest = 0;
  await writeWhole(out, targets, async (made) => {
    for (const { logits, limit } of targets) {
      const difference = logitDifference(expected, await logits(made));
      largest = Math.max(largest, difference);
      if (difference <= limit) continue;
      throw coded('EXPORT_DIFFERS', { format, difference: difference.toExponential(2), limit });
    }
  });
  const { step } = stored.run;
  const head = { path: out, format, checkpoint: checkpoint.path, step };
  return Object.assign(head, { images: batch.count, difference: largest, digest: weightDigest(weights) });
}
