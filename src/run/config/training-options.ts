/** Options of a run: how it trains. */
import { z } from 'zod';
import { fraction, option, whole } from './option-kinds.js';

export const trainingOptions = {
  seed: option(whole(0, 2 ** 32 - 1).default(0), 'training', 'key of every random choice'),
  epochs: option(whole(1).default(30), 'training', 'passes over the training set'),
  steps: option(
    whole(1).nullable().default(null),
    'training',
    'length of the run in steps instead of epochs; it may end within an epoch',
    'steps',
  ),
  prolonged: option(
    z.string().min(1).nullable().default(null),
    'training',
    'STEP:EPOCHS,...: from STEP on the run is EPOCHS long; --extend-to-epochs writes this',
  ),
  batch: option(whole(1, 2 ** 20).default(128), 'training', 'samples of one step, over all workers'),
  microBatch: option(
    whole(1, 65536).default(32),
    'training',
    'samples computed at once; it must divide the batch; auto, on the command line only, takes what fits the GPU',
  ),
  optimizer: option(
    z.enum(['adamw', 'adam', 'sgd']).default('adamw'),
    'training',
    'adamw: decoupled decay; adam: coupled L2; sgd: momentum',
  ),
  lr: option(z.number().positive().default(1e-3), 'training', 'base learning rate'),
  headLr: option(
    z.number().positive().nullable().default(null),
    'training',
    'learning rate of the head; by default that of all others; it follows the same schedule',
  ),
  layerDecay: option(
    z.number().gt(0).max(1).default(1),
    'training',
    "factor of the learning rate from each block to the one before it, as timm's layer_decay",
  ),
  beta1: option(fraction.default(0.9), 'training', "Adam's decay of the first moment"),
  beta2: option(fraction.default(0.999), 'training', "Adam's decay of the second moment"),
  eps: option(z.number().positive().default(1e-8), 'training', "Adam's epsilon"),
  momentum: option(fraction.default(0.9), 'training', 'momentum of sgd'),
  weightDecay: option(z.number().min(0).default(0.1), 'training', 'weight decay'),
  decayOn: option(
    z.enum(['all', 'kernels']).default('kernels'),
    'training',
    'parameters that decay: all of them, or kernels only',
  ),
  schedule: option(
    z.enum(['cosine', 'linear', 'constant']).default('cosine'),
    'training',
    'decay of the learning rate after the warm-up',
  ),
  warmupSteps: option(
    whole(0).nullable().default(null),
    'training',
    'steps of linear warm-up; by default a twentieth of the run',
    'steps',
  ),
  finalLr: option(
    z.number().min(0).nullable().default(null),
    'training',
    'learning rate at the end of the decay; by default 0 (cosine) or 1e-5 (linear)',
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
    z
      .enum(['val-loss', 'val-accuracy', 'test-loss', 'test-accuracy', 'train-loss', 'train-accuracy'])
      .default('val-loss'),
    'training',
    'figure that early stopping watches; without validation images val means the test images',
  ),
  earlyStopMode: option(
    z.enum(['min', 'max']).default('min'),
    'training',
    'which direction is better; by default it follows from the metric',
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
};
