/** What a program can import from 'vitrail'. docs/library.md shows it in use. */
export { chaos, type ChaosEvent, type ChaosOptions, type ChaosReport, type ChaosRun } from './api/chaos.js';
export {
  checkData,
  writeExclusion,
  type DataCheck,
  type DataCheckOptions,
  type Finding,
  type SplitCheck,
  type Spread,
} from './api/check-data.js';
export { digest, type DigestOptions, type WeightsDigest } from './api/digest.js';
export { evaluate, type EvaluateOptions, type EvaluationResult, type SkippedImage } from './api/evaluate.js';
export { exportModel, type ExportFormat, type ExportOptions, type ExportResult } from './api/export-model.js';
export { fit, type Fit, type FitOptions } from './api/fit.js';
export { openTrainedModel, type OpenOptions } from './api/open-trained-model.js';
export { predict, type Guess, type Prediction, type PredictOptions } from './api/predict.js';
export {
  coordinatorStatus,
  runStatus,
  type RunReport,
  type RunStatus,
  type StatusOptions,
  type StoredStatus,
} from './api/run-status.js';
export { runCoordinator } from './api/run-coordinator.js';
export type { RunControl, TrainControl } from './api/run-control.js';
export type { RunOptions } from './api/run-options.js';
export { runWorker, type WorkerControl, type WorkerEnd, type WorkerOptions } from './api/run-worker.js';
export { train } from './api/train.js';
export { tune, type TuneOptions, type Tuning } from './api/tune.js';
export type { TrainedModel } from './api/trained-model.js';
export type * from './api/training-event.js';
export type { GpuModel } from './api/machine/gpu-model.js';
export { VitrailError, type ErrorCode } from './errors/errors.js';
export type { RunConfig } from './run/config/schema.js';
export type { BestSummary, RunSummary, SplitFigures } from './run/folder/run-summary.js';
