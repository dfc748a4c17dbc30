/** Options of a run: its model. */
import { z } from 'zod';
import { POSITION_INTERPOLATIONS } from '../model/position-interpolation.js';
import { fraction, operational, option, path, whole } from './option-kinds.js';

export const modelOptions = {
  model: option(
    z.string().default('vit-b/16'),
    'model',
    'SIZE/PATCH: vit-micro, vit-ti, vit-s, vit-b, vit-l, vit-h, or LAYERSxWIDTHxMLPxHEADS as in vit-12x384x1536x6/16',
  ),
  imageSize: option(whole(1, 4096).default(224), 'model', 'side of the square input', 'pixels'),
  preLogits: option(
    whole(0, 65536).default(0),
    'model',
    'width of the tanh layer before the head, 0 for none',
  ),
  gelu: option(z.enum(['tanh', 'erf']).default('tanh'), 'model', 'form of GELU'),
  pooling: option(
    z.enum(['class-token', 'average', 'class-token-and-average']).default('class-token'),
    'model',
    "what the head sees: the class token, the mean over the patches (timm's global_pool avg), or both (DINOv2)",
  ),
  lastNorm: option(
    z.enum(['before-pooling', 'after-pooling']).nullable().default(null),
    'model',
    'where the last LayerNorm is; by default before pooling, and after it with --pooling average, as in timm',
  ),
  layerScale: option(
    z.number().min(0).default(0),
    'model',
    "value that LayerScale's factors begin with (timm's init_values), 0 for a model without LayerScale",
  ),
  registers: option(whole(0, 1024).default(0), 'model', 'register tokens after the class token'),
  distillation: option(
    z.boolean().default(false),
    'model',
    'a distillation token with a head of its own, as in DeiT',
  ),
  layerNormEpsilon: option(
    z.number().positive().default(1e-6),
    'model',
    "epsilon of every LayerNorm: 1e-6 in timm, 1e-12 in Hugging Face's ViT",
  ),
  qkvBias: option(z.boolean().default(true), 'model', 'whether queries, keys and values have a bias'),
  positions: option(
    z.enum(['all-tokens', 'patches']).default('all-tokens'),
    'model',
    "tokens that have a position embedding; patches is timm's no_embed_class",
  ),
  dropout: option(fraction.default(0), 'model', 'dropout rate'),
  dropPath: option(
    fraction.default(0),
    'model',
    'rate at which branches of single samples are dropped in the last block; it grows linearly from 0 in the first',
  ),
  init: option(
    z.enum(['vit-jax', 'timm', 'torchvision']).default('vit-jax'),
    'model',
    'library whose initial weights are drawn',
  ),
  initFrom: path(
    option(
      z.string().nullable().default(null),
      'model',
      'weights to start from: a run or checkpoint, a file (.safetensors, .pt, .pth, .bin, .npz) a folder of Hugging Face, or hf:OWNER/NAME[@REVISION]; other classes replace the head, another image size interpolates the positions',
    ),
  ),
  initDigest: option(
    z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'not a SHA-256')
      .nullable()
      .default(null),
    'model',
    'SHA-256 of what --init-from holds; a run notes it, and refuses to start again from anything else',
  ),
  initCommit: operational(
    z
      .string()
      .regex(/^[0-9a-f]{40}$/, 'not a commit')
      .nullable()
      .default(null),
    'model',
    'commit of the hub that --init-from hf:OWNER/NAME stood for; a run notes it, and takes its weights from there',
  ),
  offline: operational(
    z.boolean().default(false),
    'model',
    'take weights called hf:OWNER/NAME from the cache alone',
  ),
  positionInterpolation: option(
    z.enum(POSITION_INTERPOLATIONS).default('bilinear'),
    'model',
    'how positions are carried over to another image size: bilinear as vit_jax, bicubic-antialias as timm, bicubic as Hugging Face, bicubic-aligned as torchvision',
  ),
  freeze: option(
    z.string().min(1).nullable().default(null),
    'model',
    'what is not trained: embeddings, backbone (all but the head), or a number of blocks from the first on',
  ),
  recompute: operational(
    z.boolean().default(false),
    'model',
    'compute each block again in the backward pass: saves memory, takes about a third more time',
  ),
};
