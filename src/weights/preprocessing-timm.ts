/** What timm's `config.json` says of images, as its `resolve_data_config` and `transforms_imagenet_eval` read it. Pure. */
import { z } from 'zod';
import { channels, fieldsOf, refuserOf, side, type SourcePreprocessing } from './preprocessing.js';

/** timm's own defaults. */
const pretrainedConfig = z.object({
  input_size: z.tuple([z.literal(3), side, side]).default([3, 224, 224]),
  interpolation: z.string().default('bicubic'),
  crop_pct: z.number().gt(0).nullish(),
  crop_mode: z.string().nullish(),
  mean: channels.default([0.485, 0.456, 0.406]),
  std: channels.default([0.229, 0.224, 0.225]),
});

/** Newer files have the fields in `pretrained_cfg`, older ones at the top. */
const file = z.object({ pretrained_cfg: z.record(z.string(), z.unknown()).optional() }).loose();

/** Whether timm's `config.json` says anything of images. */
export function tellsOfImages(config: Readonly<Record<string, unknown>>): boolean {
  return 'pretrained_cfg' in config || Object.keys(pretrainedConfig.shape).some((key) => key in config);
}

/**
 * @param path of the file, for messages
 * @throws PREPROCESSING_UNSUPPORTED naming the field
 */
export function preprocessingOfTimm(path: string, config: unknown): SourcePreprocessing {
  const refuse = refuserOf(path);
  const whole = fieldsOf(file, config, refuse);
  const fields = fieldsOf(pretrainedConfig, whole.pretrained_cfg ?? whole, refuse);
  const [, height, width] = fields.input_size;
  if (height !== width) throw refuse('input_size', fields.input_size, 'a square');
  const { interpolation } = fields;
  if (interpolation !== 'bilinear' && interpolation !== 'bicubic') {
    throw refuse('interpolation', interpolation, 'bilinear or bicubic');
  }
  const cropMode = fields.crop_mode ?? 'center';
  if (cropMode !== 'center' && cropMode !== 'squash') throw refuse('crop_mode', cropMode, 'center or squash');
  return {
    mean: fields.mean.join(','),
    std: fields.std.join(','),
    interpolation,
    cropMode,
    cropFraction: fields.crop_pct ?? 0.875,
    imageSize: height,
  };
}
