/** The one schema of a run's options: flags, YAML keys, defaults, units and help all come from here. */
import { z } from 'zod';
import { fraction, metaOf, operational, option, whole, type OptionMeta } from './option-kinds.js';

export const runConfigSchema = z.strictObject({
  // data
  data: operational(z.string().min(1), 'data', 'folder with train/ and test/ or val/, one folder per class'),
  exclude: operational(
    z.string().nullable().default(null),
    'data',
    'file that lists images to leave out, one path a line',
  ),
  transform: option(
    z.enum(['paper', 'tutorial']).default('paper'),
    'data',
    'paper: random resized crop, flip, pixels in [-1, 1]; tutorial: squash, pixels in [0, 1]',
  ),
  cropMinArea: option(
    z.number().gt(0).max(1).default(0.05),
    'data',
    'smallest area of a random crop, of the image',
  ),
  cacheBytes: operational(
    whole(0, Number.MAX_SAFE_INTEGER).default(256 * 2 ** 20),
    'data',
    'decoded images kept in memory by a worker',
    'bytes',
  ),
  prefetch: operational(whole(1, 64).default(4), 'data', 'micro-batches prepared ahead by a worker'),

  // model
  model: option(
    z.string().default('vit-b/16'),
    'model',
    'SIZE/PATCH: vit-micro, vit-ti, vit-s, vit-b, vit-l, vit-h',
  ),
  imageSize: option(whole(1, 4096).default(224), 'model', 'side of the square input', 'pixels'),
  preLogits: option(
    whole(0, 65536).default(0),
    'model',
    'width of the tanh layer before the head, 0 for none',
  ),
  gelu: option(z.enum(['tanh', 'erf']).default('tanh'), 'model', 'form of GELU'),
  dropout: option(fraction.default(0), 'model', 'dropout rate'),
  init: option(
    z.enum(['vit-jax', 'timm', 'torchvision']).default('vit-jax'),
    'model',
    'whose initialisation',
  ),
  initFrom: option(
    z.string().nullable().default(null),
    'model',
    'checkpoint to fine-tune: head replaced, position embedding interpolated',
  ),
  recompute: operational(
    z.boolean().default(false),
    'model',
    'recompute each block in the backward pass: less memory, about a third more time',
  ),

  // training
  seed: option(whole(0, 2 ** 32 - 1).default(0), 'training', 'key of every random choice'),
  epochs: option(whole(1).default(30), 'training', 'passes over the training set'),
  steps: option(
    whole(1).nullable().default(null),
    'training',
    'length of the run in steps, in place of epochs; it may end within an epoch',
    'steps',
  ),
  batch: option(whole(1, 2 ** 20).default(128), 'training', 'samples of one step, over all workers'),
  microBatch: option(
    whole(1, 65536).default(32),
    'training',
    'samples computed at once; divides the batch; auto on the command line: what fits the GPU',
  ),
  optimizer: option(
    z.enum(['adamw', 'adam', 'sgd']).default('adamw'),
    'training',
    'adamw: decoupled decay; adam: coupled L2; sgd: momentum',
  ),
  lr: option(z.number().positive().default(1e-3), 'training', 'base learning rate'),
  beta1: option(fraction.default(0.9), 'training', "Adam's decay of the first moment"),
  beta2: option(fraction.default(0.999), 'training', "Adam's decay of the second moment"),
  eps: option(z.number().positive().default(1e-8), 'training', "Adam's epsilon"),
  momentum: option(fraction.default(0.9), 'training', 'momentum of sgd'),
  weightDecay: option(z.number().min(0).default(0.1), 'training', 'weight decay'),
  decayOn: option(
    z.enum(['all', 'kernels']).default('kernels'),
    'training',
    'what decays: all parameters, or kernels only',
  ),
  schedule: option(
    z.enum(['cosine', 'linear', 'constant']).default('cosine'),
    'training',
    'decay of the learning rate after the warm-up',
  ),
  warmupSteps: option(
    whole(0).nullable().default(null),
    'training',
    'linear warm-up; none: a twentieth of the run',
    'steps',
  ),
  finalLr: option(
    z.number().min(0).nullable().default(null),
    'training',
    'where the decay ends; default 0 (cosine), 1e-5 (linear)',
  ),
  clipNorm: option(
    z.number().min(0).default(1),
    'training',
    'largest global norm of the gradient, 0 for no clipping',
  ),
  labelSmoothing: option(fraction.default(0), 'training', 'label smoothing'),
  emaDecay: option(fraction.default(0), 'training', 'decay of the moving average of the weights, 0 for none'),
  reduction: option(
    z.enum(['exact', 'fp32']).default('exact'),
    'training',
    'exact: same bits on any number of workers; fp32: plain sums, for comparison',
  ),
  earlyStopPatience: option(
    whole(0).default(0),
    'training',
    'evaluations without improvement before stopping, 0 for never',
  ),
  earlyStopMetric: option(
    z.enum(['test-loss', 'test-accuracy', 'train-loss', 'train-accuracy']).default('test-loss'),
    'training',
    'what early stopping watches',
  ),
  earlyStopMode: option(
    z.enum(['min', 'max']).default('min'),
    'training',
    'which direction is better; where not given, it follows the metric',
  ),
  earlyStopMinDelta: option(
    z.number().min(0).default(0),
    'training',
    'smallest change that counts as an improvement',
  ),
  earlyStopPercentage: option(
    z.boolean().default(false),
    'training',
    'min-delta is a percentage of the best value',
  ),
  evaluateEvery: option(whole(1).default(1), 'training', 'evaluate after this many epochs', 'epochs'),

  // run
  out: operational(z.string().min(1).default('runs/vitrail'), 'run', 'run folder: checkpoints, log, summary'),
  resume: operational(
    z.boolean().default(false),
    'run',
    'continue from the newest checkpoint in the run folder that verifies',
  ),
  checkpointEverySteps: operational(
    whole(0).default(0),
    'run',
    'checkpoint after this many steps, 0 for epoch ends only',
    'steps',
  ),
  auditEverySteps: operational(
    whole(0).default(100),
    'run',
    'compare the weights of all workers after this many steps, 0 for checkpoints only',
    'steps',
  ),
  keepLast: operational(
    whole(1, 1000).default(2),
    'run',
    'newest checkpoints to keep (the best is kept as well)',
  ),
  backend: option(
    z.enum(['auto', 'native', 'wasm', 'cpu', 'tensorflow']).default('auto'),
    'run',
    'tfjs backend of the workers; auto: native where its kernels find a GPU, else tensorflow where installed, else native where built, else wasm',
  ),
  precision: option(
    z.enum(['fp32', 'bf16']).default('fp32'),
    'run',
    'of products and stored activations; bf16 on the native backend only (sums and weights stay fp32)',
  ),
  threads: operational(
    whole(0, 1024).default(0),
    'run',
    "of a local worker's native kernels; 0 shares this machine's processors among the workers",
  ),
  devices: operational(
    z.string().min(1).default('auto'),
    'run',
    'of the local workers in turn, say "cuda:0,cuda:1" or "cpu"; auto gives each a GPU of its own where there are any',
  ),
  productChoices: operational(
    z.string().min(1).nullable().default(null),
    'run',
    "table of algorithms for a GPU's matrix products, from `vitrail tune`; all workers need the same",
  ),
  logLevel: operational(
    z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    'run',
    'what goes to stderr',
  ),

  // cluster
  workers: operational(whole(1, 1024).default(1), 'cluster', 'workers that the run is started with'),
  minWorkers: operational(
    whole(1, 1024).nullable().default(null),
    'cluster',
    'start with as many, and wait when there are fewer; none: start with all, go on with one',
  ),
  maxWorkers: operational(
    whole(1, 4096).nullable().default(null),
    'cluster',
    'workers that may join; none: as many as a step has micro-batches',
  ),
  maxRestarts: operational(
    whole(0, 10_000).default(3),
    'cluster',
    'train: worker processes that are started in place of failed ones, over the whole run',
  ),
  balance: operational(
    z.enum(['speed', 'even']).default('speed'),
    'cluster',
    'micro-batches of a worker: by its measured speed, or the same for all',
  ),
  listen: operational(
    z.string().default('tcp://127.0.0.1:0'),
    'cluster',
    'address for workers; port 0 takes a free one',
  ),
  httpListen: operational(
    z.string().default('127.0.0.1:0'),
    'cluster',
    'address of /metrics, /healthz, /discovery; port 0 takes a free one',
  ),
  ringTransport: operational(
    z.enum(['tcp', 'ipc']).default('tcp'),
    'cluster',
    'sockets of the all-reduce; ipc only on one machine',
  ),
  joinTimeoutMs: operational(
    whole(100).default(120_000),
    'cluster',
    'wait for workers to join, at the start and when too few are left',
    'ms',
  ),
  stepTimeoutMs: operational(
    whole(100).default(600_000),
    'cluster',
    'time without progress after which a worker that answers is said to hang, and taken out',
    'ms',
  ),
  ringTimeoutMs: operational(
    whole(100).default(10_000),
    'cluster',
    'time after which an all-reduce that stands still is begun again',
    'ms',
  ),
  suspectAfterMs: operational(
    whole(50).default(2_000),
    'cluster',
    'silence after which a worker is suspected',
    'ms',
  ),
  heartbeatTimeoutMs: operational(
    whole(100).default(10_000),
    'cluster',
    'silence after which a worker is removed',
    'ms',
  ),
});

export type RunConfig = z.infer<typeof runConfigSchema>;
export type RunConfigKey = keyof RunConfig;

/** The metadata of an option. */
export function optionMeta(key: RunConfigKey): OptionMeta {
  const meta = metaOf(runConfigSchema.shape[key]);
  if (meta === undefined) throw new Error(`option ${key} has no metadata`);
  return meta;
}
