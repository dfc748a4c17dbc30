/** Presets: the rows of the paper's training tables, and the tutorial's run, as partial configurations. */
import { coded } from '../../errors/errors.js';
import { nearestName } from '../../errors/name-distance.js';
import type { RunConfig } from './schema.js';

export interface Preset {
  /** Where the values come from. */
  readonly source: string;
  /** Choices that the source leaves open. */
  readonly note: string;
  readonly config: Readonly<Partial<RunConfig>>;
}

/** arXiv 2010.11929, Table 3 and its caption: Adam, batch 4096, 10,000 steps of warm-up, 224 px. */
const TABLE_3 = {
  transform: 'paper',
  imageSize: 224,
  batch: 4096,
  optimizer: 'adamw',
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  decayOn: 'kernels',
  warmupSteps: 10_000,
  finalLr: null,
  clipNorm: 0,
} as const satisfies Partial<RunConfig>;

const JFT = { ...TABLE_3, schedule: 'linear', weightDecay: 0.1, dropout: 0 } as const;
const IMAGENET_21K = { ...TABLE_3, schedule: 'linear', lr: 1e-3, weightDecay: 0.03, dropout: 0.1 } as const;

const HIDDEN_LAYER = 'pre-logits as wide as the model (section 3.1: a head with one hidden layer)';

/** Table 4 and its caption: SGD with momentum 0.9, batch 512, cosine, no weight decay, clipping at 1, 384 px. */
const TABLE_4 = {
  transform: 'paper',
  imageSize: 384,
  preLogits: 0,
  dropout: 0,
  batch: 512,
  optimizer: 'sgd',
  momentum: 0.9,
  weightDecay: 0,
  schedule: 'cosine',
  finalLr: null,
  clipNorm: 1,
} as const satisfies Partial<RunConfig>;

function table3(row: string, note: string, config: Partial<RunConfig>): Preset {
  return { source: `arXiv 2010.11929, Table 3, ${row}`, note, config };
}

/** Warm-ups: vit_jax, `configs/common.py` (500) and, for runs of 500 steps, `configs/augreg.py` (100). */
function table4(row: string, steps: number, warmupSteps: number, lr: number, others: string): Preset {
  const choice =
    others === '' ? '' : `learning rate ${lr} is one of the table's set; try --lr ${others} too; `;
  return {
    source: `arXiv 2010.11929, Table 4, ${row}`,
    note: `${choice}warm-up as in vit_jax; needs --init-from`,
    config: { ...TABLE_4, steps, warmupSteps, lr },
  };
}

export const PRESETS: Readonly<Record<string, Preset>> = {
  'table3-jft-b': table3('ViT-B/{16,32} on JFT-300M', `${HIDDEN_LAYER}; or --model vit-b/32`, {
    ...JFT,
    model: 'vit-b/16',
    preLogits: 768,
    epochs: 7,
    lr: 8e-4,
  }),
  'table3-jft-l32': table3('ViT-L/32 on JFT-300M', HIDDEN_LAYER, {
    ...JFT,
    model: 'vit-l/32',
    preLogits: 1024,
    epochs: 7,
    lr: 6e-4,
  }),
  'table3-jft-l16': table3('ViT-L/16 on JFT-300M', `${HIDDEN_LAYER}; the table has 7 and 14: --epochs 14`, {
    ...JFT,
    model: 'vit-l/16',
    preLogits: 1024,
    epochs: 7,
    lr: 4e-4,
  }),
  'table3-jft-h14': table3('ViT-H/14 on JFT-300M', HIDDEN_LAYER, {
    ...JFT,
    model: 'vit-h/14',
    preLogits: 1280,
    epochs: 14,
    lr: 3e-4,
  }),
  'table3-imagenet21k-b': table3('ViT-B/{16,32} on ImageNet-21k', `${HIDDEN_LAYER}; or --model vit-b/32`, {
    ...IMAGENET_21K,
    model: 'vit-b/16',
    preLogits: 768,
    epochs: 90,
  }),
  'table3-imagenet21k-l': table3(
    'ViT-L/{16,32} on ImageNet-21k',
    `${HIDDEN_LAYER}; or --model vit-l/32; the table has 30 and 90: --epochs 90`,
    { ...IMAGENET_21K, model: 'vit-l/16', preLogits: 1024, epochs: 30 },
  ),
  'table3-imagenet1k': table3(
    'all models on ImageNet-1k',
    'any --model; no pre-logits, as the parameter counts of Table 1 have none; the only row that clips',
    {
      ...TABLE_3,
      preLogits: 0,
      epochs: 300,
      lr: 3e-3,
      schedule: 'cosine',
      weightDecay: 0.3,
      dropout: 0.1,
      clipNorm: 1,
    },
  ),
  'table4-imagenet': table4('ImageNet', 20_000, 500, 0.03, '0.003, 0.01 and 0.06'),
  'table4-cifar10': table4('CIFAR10', 10_000, 500, 0.03, '0.001, 0.003 and 0.01'),
  'table4-cifar100': table4('CIFAR100', 10_000, 500, 0.03, '0.001, 0.003 and 0.01'),
  'table4-pets': table4('Oxford-IIIT Pets', 500, 100, 0.01, '0.001, 0.003 and 0.03'),
  'table4-flowers': table4('Oxford Flowers-102', 500, 100, 0.01, '0.001, 0.003 and 0.03'),
  'table4-vtab': table4('VTAB (19 tasks)', 2_500, 500, 0.01, ''),
  finetune: {
    source:
      'own choice after BEiT (arXiv 2106.08254) and DeiT III (arXiv 2204.07118), for a few thousand images',
    note: 'needs --init-from; rates fall from the head to the first layer, so that little data changes them little',
    config: {
      optimizer: 'adamw',
      lr: 3e-4,
      layerDecay: 0.75,
      weightDecay: 0.05,
      decayOn: 'kernels',
      dropout: 0,
      dropPath: 0.1,
      labelSmoothing: 0.1,
      batch: 64,
      microBatch: 16,
      epochs: 20,
      schedule: 'cosine',
      finalLr: null,
      warmupSteps: null,
      clipNorm: 1,
      freeze: null,
      headLr: null,
    },
  },
  'linear-probe': {
    source:
      'own choice: a linear classifier on frozen features (arXiv 2010.11929, section 4.1, fits it in closed form)',
    note: 'needs --init-from; trains the head alone, from features that are computed once',
    config: {
      freeze: 'backbone',
      optimizer: 'adamw',
      lr: 3e-3,
      layerDecay: 1,
      headLr: null,
      weightDecay: 0,
      dropout: 0,
      dropPath: 0,
      augment: false,
      cacheFeatures: true,
      labelSmoothing: 0,
      batch: 128,
      microBatch: 32,
      epochs: 20,
      schedule: 'cosine',
      finalLr: null,
      warmupSteps: null,
      clipNorm: 1,
    },
  },
  tutorial: {
    source: 'the ViT replication tutorial: ViT-B/16 on 90 classes with torch.optim.Adam',
    note:
      'initialisation as in torchvision, the nearest to PyTorch’s own; micro-batches of 8, so that up to 4 workers ' +
      'share its batch of 32; its number of epochs is left to early stopping',
    config: {
      transform: 'tutorial',
      model: 'vit-b/16',
      imageSize: 224,
      preLogits: 0,
      gelu: 'erf',
      init: 'torchvision',
      dropout: 0.1,
      batch: 32,
      microBatch: 8,
      optimizer: 'adam',
      lr: 3e-3,
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      weightDecay: 0.3,
      decayOn: 'all',
      schedule: 'constant',
      warmupSteps: 0,
      clipNorm: 0,
      earlyStopPatience: 10,
      earlyStopMetric: 'val-loss',
      earlyStopMinDelta: 0,
      earlyStopPercentage: false,
    },
  },
};

/** The options that a preset sets. Throws CONFIG_UNKNOWN_PRESET. */
export function presetConfig(name: string): Readonly<Partial<RunConfig>> {
  const preset = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (preset !== undefined) return preset.config;
  const known = Object.keys(PRESETS);
  throw coded('CONFIG_UNKNOWN_PRESET', {
    preset: name,
    suggestion: nearestName(name, known),
    known: known.join(', '),
  });
}
