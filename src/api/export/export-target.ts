/** What each format writes, and how the logits of what was written are computed. */
import { join } from 'node:path';
import { writeSynced } from '../../host/atomic-file.js';
import { nodeDisk } from '../../host/disk.js';
import { VERSION } from '../../host/version.js';
import { coded, VitrailError, type ErrorCode } from '../../errors/errors.js';
import { weightDigest } from '../../run/checkpoint/weight-digest.js';
import type { RunCheckpoint } from '../../run/folder/run-checkpoint.js';
import { evaluationView } from '../../run/model/evaluation-view.js';
import { pixelScale } from '../../run/model/patches.js';
import { exportedTensors, type WeightsFormat } from '../../weights/export/exported-tensors.js';
import { modelCard } from '../../weights/export/model-card.js';
import { onnxObstacle, type OnnxPrecision } from '../../weights/export/onnx-builder.js';
import { encodeOnnx } from '../../weights/export/onnx-messages.js';
import { onnxModel } from '../../weights/export/onnx-model.js';
import { timmConfig } from '../../weights/export/timm-config.js';
import { torchvisionConfig } from '../../weights/export/torchvision-names.js';
import { transformersConfig, transformersPreprocessor } from '../../weights/export/transformers-config.js';
import type { MicroBatch } from '../../worker/data/micro-batch.js';
import { jsonText, writeExportFolder } from './export-folder.js';
import { onnxLogits, onnxRuntime } from './onnx-runtime.js';
import { tellingOptions } from './run-options-table.js';

/**
 * The rounding of a format. The folders keep every bit of the weights, but mean and deviation of images may be written in other
 * numbers that mean the same; ONNX is computed by another program.
 */
const LIMITS = { exact: 1e-5, fp32: 1e-4, fp16: 2e-2 } as const;

/** A format as it is written, and how the logits of what was written are computed. */
export interface ExportTarget {
  readonly write: (temporary: string) => Promise<void>;
  readonly logits: (temporary: string) => Promise<Float32Array>;
  /** Largest relative difference of logits. */
  readonly limit: number;
}

/** The logits of the compared images, computed from a folder as it would be opened by its path alone. */
export type LogitsFrom = (folder: string) => Promise<Float32Array>;

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
  if (format === 'torchvision') {
    texts.set('config.json', jsonText(torchvisionConfig(spec, classes)));
    texts.set('preprocessor_config.json', jsonText(transformersPreprocessor(view)));
  }
  const best = run.best?.step === run.step ? run.best : null;
  const figures = { step: run.step, best, digest: weightDigest(weights), manifestDigest };
  const card = Object.assign({ format, spec, view, classes, options: tellingOptions(config) }, figures);
  return texts.set('README.md', modelCard(card));
}

export function folderTarget(
  opened: RunCheckpoint,
  weights: Float32Array,
  format: WeightsFormat,
  logitsFrom: LogitsFrom,
): ExportTarget {
  const tensors = exportedTensors(format, opened.spec);
  const content = { tensors, weights, texts: textsOf(opened, weights, format) };
  return {
    write: async (temporary) => writeExportFolder(nodeDisk, temporary, content),
    logits: logitsFrom,
    limit: LIMITS.exact,
  };
}

/** @throws EXPORT_IMPOSSIBLE, EXPORT_RUNTIME_MISSING */
export async function onnxTarget(
  { spec, stored }: RunCheckpoint,
  weights: Float32Array,
  images: MicroBatch,
  precision: OnnxPrecision,
): Promise<ExportTarget> {
  const reason = onnxObstacle(weights.length, precision);
  if (reason !== null) throw coded('EXPORT_IMPOSSIBLE', { model: spec.name, format: 'onnx', reason });
  const runtime = await onnxRuntime();
  const { config, classes } = stored;
  const facts = { preprocessing: config, classes, producerVersion: VERSION, digest: weightDigest(weights) };
  return {
    write: async (temporary) => {
      const bytes = encodeOnnx(onnxModel(Object.assign({ spec, weights, precision }, facts)));
      await writeSynced(nodeDisk, temporary, [bytes]);
    },
    logits: async (temporary) => onnxLogits(runtime, temporary, images, pixelScale(config), spec.imageSize),
    limit: LIMITS[precision],
  };
}

/** Where transformers.js looks for the model in a folder of Hugging Face. */
const IN_FOLDER = ['onnx', 'model.onnx'] as const;

/** Errors that only mean that there is no ONNX file. */
const WITHOUT_ONNX: readonly ErrorCode[] = ['EXPORT_RUNTIME_MISSING', 'EXPORT_IMPOSSIBLE'];

/**
 * A folder for Hugging Face with the ONNX file that transformers.js needs; without it, said in a note, if no runtime is there
 * or the model is too large for one.
 */
export async function transformersTarget(
  opened: RunCheckpoint,
  weights: Float32Array,
  images: MicroBatch,
  logitsFrom: LogitsFrom,
  onNote: (text: string) => void,
): Promise<readonly ExportTarget[]> {
  const folder = folderTarget(opened, weights, 'hf', logitsFrom);
  try {
    const onnx = await onnxTarget(opened, weights, images, 'fp32');
    const inside: ExportTarget = {
      write: async (made) => {
        await nodeDisk.makeFolder(join(made, IN_FOLDER[0]));
        await onnx.write(join(made, ...IN_FOLDER));
        await nodeDisk.syncFolder(join(made, IN_FOLDER[0]));
      },
      logits: async (made) => onnx.logits(join(made, ...IN_FOLDER)),
      limit: onnx.limit,
    };
    return [folder, inside];
  } catch (thrown) {
    if (!(thrown instanceof VitrailError) || !WITHOUT_ONNX.includes(thrown.code)) throw thrown;
    const why = thrown.code === 'EXPORT_RUNTIME_MISSING' ? thrown.remedy : thrown.problem;
    onNote(`the folder gets no ${IN_FOLDER.join('/')}, which transformers.js needs: ${why}`);
    return [folder];
  }
}
