/** What a library's models compute beyond their shapes: heads, GELU, epsilon, pooling. */
import { coded } from '../../errors/errors.js';
import type { GeluForm } from '../../run/model/model-spec.js';
import type { Library, SourceHints } from './source-model.js';

export interface LibraryFacts {
  /** Of the attention; null if neither shapes nor config.json tell it. */
  readonly heads: number | null;
  readonly gelu: GeluForm;
  readonly layerNormEpsilon: number;
  /** Whether the head sees the mean over the patches; null: if there is an `fc_norm`. */
  readonly averages: boolean | null;
}

type Config = Readonly<Record<string, unknown>>;

/** The activations of PyTorch's libraries by the form of GELU that they compute. */
const GELUS: Readonly<Record<string, GeluForm>> = {
  gelu: 'erf',
  gelu_new: 'tanh',
  gelu_tanh: 'tanh',
  gelu_fast: 'tanh',
  gelu_pytorch_tanh: 'tanh',
  gelu_python: 'erf',
};

function activation(path: string, name: unknown): GeluForm {
  if (name === undefined || name === null) return 'erf';
  const form = typeof name === 'string' && Object.hasOwn(GELUS, name) ? GELUS[name] : undefined;
  if (form === undefined) {
    throw coded('WEIGHTS_FEATURE_MISSING', { path, feature: `the activation ${JSON.stringify(name)}` });
  }
  return form;
}

function numberIn(config: Config, key: string): number | null {
  const value = config[key];
  return typeof value === 'number' ? value : null;
}

function recordIn(config: Config, key: string): Config {
  const value = config[key];
  return typeof value === 'object' && value !== null ? (value as Config) : {};
}

/** timm's config.json: `model_args` are those of the constructor where they are not the architecture's. */
function timmFacts(path: string, config: Config): LibraryFacts {
  const args = recordIn(config, 'model_args');
  const pool = args['global_pool'] ?? config['global_pool'] ?? '';
  if (typeof pool !== 'string' || !['', 'token', 'avg'].includes(pool)) {
    throw coded('WEIGHTS_FEATURE_MISSING', { path, feature: `the pooling ${JSON.stringify(pool)}` });
  }
  if (args['pool_include_prefix'] === true) {
    throw coded('WEIGHTS_FEATURE_MISSING', { path, feature: 'a mean over the class token too' });
  }
  return {
    heads: numberIn(args, 'num_heads'),
    gelu: activation(path, args['act_layer']),
    layerNormEpsilon: 1e-6,
    averages: pool === '' ? null : pool === 'avg',
  };
}

/** The defaults of Hugging Face's ViTConfig and DeiTConfig, and of Dinov2Config. */
const EPSILONS: Readonly<Record<string, number>> = { vit: 1e-12, deit: 1e-12 };

function huggingFaceFacts(path: string, config: Config): LibraryFacts {
  const type = typeof config['model_type'] === 'string' ? config['model_type'] : 'vit';
  return {
    heads: numberIn(config, 'num_attention_heads'),
    gelu: activation(path, config['hidden_act']),
    layerNormEpsilon: numberIn(config, 'layer_norm_eps') ?? EPSILONS[type] ?? 1e-6,
    averages: false,
  };
}

export function libraryFacts(path: string, library: Library, { config }: SourceHints): LibraryFacts {
  switch (library) {
    case 'timm':
      return timmFacts(path, config ?? {});
    case 'Hugging Face':
      return huggingFaceFacts(path, config ?? {});
    case 'torchvision':
      // Written by `vitrail export`; torchvision itself writes no config.json.
      return {
        heads: numberIn(recordIn(config ?? {}, 'model_args'), 'num_heads'),
        gelu: 'erf',
        layerNormEpsilon: 1e-6,
        averages: false,
      };
    case 'vit_jax':
      // Flax's GELU is the approximate one unless asked otherwise.
      return { heads: null, gelu: 'tanh', layerNormEpsilon: 1e-6, averages: false };
  }
}

/** Heads by the widths of models whose heads are not 64 wide: vit-micro and timm's test_vit, so400m, H, giant, gigantic. */
const OTHER_HEADS: Readonly<Record<number, number>> = { 64: 2, 1152: 16, 1280: 16, 1408: 16, 1664: 16 };

/** Heads by the rule of published models: 64 wide, but for the smallest and the largest. */
export function usualHeads(hidden: number): number {
  return OTHER_HEADS[hidden] ?? Math.max(1, Math.round(hidden / 64));
}
