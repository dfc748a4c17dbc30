/** What Hugging Face's `preprocessor_config.json` says of images. Pure. */
import { z } from 'zod';
import { cropFractionOf } from '../run/model/crop-fraction.js';
import type { CropMode } from '../run/model/preprocessing.js';
import {
  channels,
  fieldsOf,
  refuserOf,
  side,
  type Refuse,
  type SourcePreprocessing,
} from './preprocessing.js';

type Family = 'ViT' | 'DeiT' | 'Bit' | 'ConvNext';

const sides = z.object({ height: side.optional(), width: side.optional(), shortest_edge: side.optional() });

const file = z.object({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: z.boolean().nullish(),
  size: z.union([side, sides.strict()]).nullish(),
  resample: z.int().nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([side, sides.strict()]).nullish(),
  crop_pct: z.number().gt(0).nullish(),
  do_rescale: z.boolean().nullish(),
  rescale_factor: z.number().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: channels.nullish(),
  image_std: channels.nullish(),
});
type Fields = z.infer<typeof file>;

const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
/** OPENAI_CLIP_MEAN and OPENAI_CLIP_STD. */
const CLIP = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

/**
 * What the classes of transformers (4 and 5, models/NAME/image_processing_NAME.py) do where the file is silent;
 * `resample` is Pillow's number.
 */
const DEFAULTS = {
  ViT: { size: { height: 224, width: 224 }, resample: 2, crops: false, of: HALF },
  DeiT: { size: { height: 256, width: 256 }, resample: 3, crops: true, of: HALF },
  Bit: { size: { shortest_edge: 224 }, resample: 3, crops: true, of: CLIP },
  ConvNext: { size: { shortest_edge: 384 }, resample: 3, crops: false, of: HALF },
} as const;

const INTERPOLATIONS: Readonly<Record<number, 'bilinear' | 'bicubic'>> = { 2: 'bilinear', 3: 'bicubic' };

function familyOf(fields: Fields, refuse: Refuse): Family {
  const name = fields.image_processor_type ?? fields.feature_extractor_type;
  if (name === null || name === undefined) return 'ViT';
  const found = /^(ViT|DeiT|Bit|ConvNext)(?:ImageProcessor(?:Fast|Pil)?|FeatureExtractor)$/.exec(name)?.[1];
  if (found === undefined) {
    const expected = 'ViTImageProcessor, DeiTImageProcessor, BitImageProcessor or ConvNextImageProcessor';
    throw refuse('image_processor_type', name, expected);
  }
  return found as Family;
}

type Sides = z.infer<typeof sides>;

/** The side of a square. */
function squareOf(key: string, given: number | Sides, refuse: Refuse): number {
  const { height, width } = typeof given === 'number' ? { height: given, width: given } : given;
  if (height === undefined || height !== width) throw refuse(key, given, 'a square');
  return height;
}

interface View {
  readonly cropMode: CropMode;
  readonly cropFraction: number;
  readonly imageSize: number;
}

/** ConvNext crops small images and squashes large ones. */
function viewOfConvNext(size: number | Sides, cropShare: number, refuse: Refuse): View {
  const edge = typeof size === 'number' ? size : size.shortest_edge;
  if (edge === undefined) throw refuse('size', size, 'shortest_edge');
  if (edge >= 384) return { cropMode: 'squash', cropFraction: 1, imageSize: edge };
  return { cropMode: 'center', cropFraction: cropShare, imageSize: edge };
}

function viewOf(fields: Fields, family: Family, refuse: Refuse): View {
  const defaults = DEFAULTS[family];
  const size: number | Sides = fields.size ?? defaults.size;
  if (family === 'ConvNext') return viewOfConvNext(size, fields.crop_pct ?? 224 / 256, refuse);
  const crops = fields.do_center_crop ?? defaults.crops;
  const cropped = crops ? squareOf('crop_size', fields.crop_size ?? 224, refuse) : null;
  const shorter = typeof size !== 'number' ? size.shortest_edge : family === 'Bit' ? size : undefined;
  if (shorter !== undefined) {
    if (cropped === null) throw refuse('do_center_crop', false, 'true, because images become squares');
    return { cropMode: 'center', cropFraction: cropFractionOf(cropped, shorter), imageSize: cropped };
  }
  const resized = squareOf('size', size, refuse);
  const imageSize = cropped ?? resized;
  return { cropMode: 'squash', cropFraction: cropFractionOf(imageSize, resized), imageSize };
}

function requireScaling(fields: Fields, refuse: Refuse): void {
  if (fields.do_resize === false) throw refuse('do_resize', false, 'true');
  if (fields.do_rescale === false) throw refuse('do_rescale', false, 'true');
  const factor = fields.rescale_factor ?? 1 / 255;
  if (Math.abs(factor * 255 - 1) > 1e-6) throw refuse('rescale_factor', factor, '1 / 255');
}

/**
 * @param path of the file, for messages
 * @throws PREPROCESSING_UNSUPPORTED naming the field
 */
export function preprocessingOfTransformers(path: string, config: unknown): SourcePreprocessing {
  const refuse = refuserOf(path);
  const fields = fieldsOf(file, config, refuse);
  const family = familyOf(fields, refuse);
  requireScaling(fields, refuse);
  const defaults = DEFAULTS[family];
  const resample = fields.resample ?? defaults.resample;
  const interpolation = INTERPOLATIONS[resample];
  if (interpolation === undefined) throw refuse('resample', resample, '2 (bilinear) or 3 (bicubic)');
  const plain = fields.do_normalize === false;
  const mean = plain ? [0, 0, 0] : (fields.image_mean ?? defaults.of.mean);
  const std = plain ? [1, 1, 1] : (fields.image_std ?? defaults.of.std);
  return { mean: mean.join(','), std: std.join(','), interpolation, ...viewOf(fields, family, refuse) };
}
