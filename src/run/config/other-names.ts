/** Names that our options have in torchrun, PyTorch's examples, timm, Lightning and Transformers. */
import type { RunConfigKey } from './schema.js';

/** The key is our name in camelCase; the values are their names in kebab-case. */
const OTHER_NAMES: Readonly<Partial<Record<RunConfigKey, string>>> = {
  data: 'dataset data-dir data-path data-root train-dir train-data root imagenet-dir image-folder',
  model: 'arch architecture model-name model-name-or-path backbone net',
  imageSize: 'img-size input-size resolution size train-crop-size crop-size',
  mean: 'image-mean normalize-mean pixel-mean rgb-mean',
  std: 'image-std normalize-std pixel-std rgb-std',
  interpolation: 'resample resize-mode train-interpolation',
  cropFraction: 'crop-pct crop-ratio',
  dropout: 'drop drop-rate dropout-rate hidden-dropout-prob',
  initFrom: 'pretrained weights finetune init-checkpoint initial-checkpoint load-from ckpt-path checkpoint',
  recompute:
    'grad-checkpointing gradient-checkpointing activation-checkpointing checkpoint-activations remat',
  seed: 'random-seed manual-seed seed-everything',
  epochs: 'num-epochs max-epochs n-epochs num-train-epochs',
  steps: 'max-steps num-steps total-steps train-steps num-train-steps max-iters iterations',
  batch: 'batch-size global-batch-size train-batch-size total-batch-size bs b',
  microBatch:
    'micro-batch-size per-device-train-batch-size per-device-batch-size per-gpu-batch-size ' +
    'accum-steps accum-iter grad-accum-steps gradient-accumulation-steps accumulate-grad-batches',
  optimizer: 'opt optim optimiser optimizer-type',
  lr: 'learning-rate base-lr blr max-lr peak-lr lr-max',
  beta1: 'adam-beta1 opt-betas betas',
  beta2: 'adam-beta2',
  eps: 'epsilon adam-epsilon opt-eps',
  weightDecay: 'wd l2 decay',
  schedule: 'sched scheduler lr-scheduler lr-schedule lr-scheduler-type lr-decay',
  warmupSteps: 'warmup warm-up num-warmup-steps warmup-iters lr-warmup-steps warmup-epochs lr-warmup-epochs',
  finalLr: 'min-lr lr-min end-lr lr-end',
  clipNorm: 'clip clip-grad clip-grad-norm grad-clip max-grad-norm max-norm gradient-clip-val',
  labelSmoothing: 'smoothing label-smoothing-factor',
  emaDecay: 'ema model-ema model-ema-decay ema-rate',
  earlyStopPatience: 'patience early-stopping early-stopping-patience',
  earlyStopMetric: 'monitor eval-metric metric-for-best-model',
  earlyStopMinDelta: 'min-delta early-stopping-threshold',
  evaluateEvery: 'eval-every eval-interval check-val-every-n-epoch val-every',
  out: 'output output-dir out-dir run-dir log-dir logdir save-dir work-dir workdir default-root-dir experiment ckpt-dir checkpoint-dir',
  resume: 'resume-from resume-from-checkpoint auto-resume continue',
  checkpointEverySteps:
    'save-every save-steps save-interval checkpoint-every checkpoint-interval recovery-interval',
  keepLast: 'save-total-limit save-top-k checkpoint-hist max-to-keep',
  precision: 'amp amp-dtype dtype fp16 bf16 half mixed-precision torch-dtype',
  threads: 'num-threads nthreads omp-num-threads',
  devices: 'device gpu gpus gpu-ids cuda',
  workers: 'num-workers nproc nproc-per-node num-processes num-proc world-size np j',
  minWorkers: 'min-nnodes min-np',
  maxWorkers: 'max-nnodes max-np',
  maxRestarts: 'restarts',
  listen: 'master-addr master-port rdzv-endpoint rdzv-backend dist-url host port bind',
  httpListen: 'metrics-port metrics-listen http-port prometheus-port',
  logLevel: 'verbose verbosity loglevel',
  cacheBytes: 'cache cache-size',
  prefetch: 'prefetch-factor',
};

const OURS: ReadonlyMap<string, RunConfigKey> = new Map(
  Object.entries(OTHER_NAMES).flatMap(([key, names]) =>
    names.split(' ').map((name) => [name, key as RunConfigKey] as const),
  ),
);

/** Our option for a name that another tool uses, in kebab-case. */
export function optionOfOtherName(name: string): RunConfigKey | undefined {
  return OURS.get(name);
}
