/** Preprocessing as other libraries' files say it becomes the options of a run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VitrailError } from '../../src/errors/errors.js';
import { resizedView } from '../../src/run/model/evaluation-view.js';
import { preprocessingOfTimm } from '../../src/weights/preprocessing-timm.js';
import { preprocessingOfTransformers } from '../../src/weights/preprocessing-transformers.js';
import type { SourcePreprocessing } from '../../src/weights/preprocessing.js';

const IMAGENET = { mean: '0.485,0.456,0.406', std: '0.229,0.224,0.225' };
const HALF = { mean: '0.5,0.5,0.5', std: '0.5,0.5,0.5' };

/** transformers.image_utils.OPENAI_CLIP_MEAN and OPENAI_CLIP_STD. */
const CLIP = { mean: '0.48145466,0.4578275,0.40821073', std: '0.26862954,0.26130258,0.27577711' };

const of = (
  ...[mean, std, interpolation, cropMode, cropFraction, imageSize]: [
    string,
    string,
    'bilinear' | 'bicubic',
    'center' | 'squash',
    number,
    number,
  ]
): SourcePreprocessing => ({ mean, std, interpolation, cropMode, cropFraction, imageSize });

const both = { do_resize: true, do_rescale: true, rescale_factor: 0.00392156862745098, do_normalize: true };

for (const [name, config, expected] of [
  [
    'google/vit-base-patch16-224',
    {
      ...both,
      image_processor_type: 'ViTImageProcessor',
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.5, 0.5, 0.5],
      resample: 2,
      size: { height: 224, width: 224 },
    },
    of(HALF.mean, HALF.std, 'bilinear', 'squash', 1, 224),
  ],
  [
    'an older ViT, with one number',
    { feature_extractor_type: 'ViTFeatureExtractor', size: 384, do_normalize: true },
    of(HALF.mean, HALF.std, 'bilinear', 'squash', 1, 384),
  ],
  [
    'facebook/deit-base-distilled-patch16-224',
    {
      feature_extractor_type: 'DeiTFeatureExtractor',
      do_center_crop: true,
      crop_size: 224,
      size: 256,
      resample: 3,
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
    },
    of(IMAGENET.mean, IMAGENET.std, 'bicubic', 'squash', 0.875, 224),
  ],
  [
    'facebook/dinov2-base',
    {
      ...both,
      image_processor_type: 'BitImageProcessor',
      do_center_crop: true,
      do_convert_rgb: true,
      crop_size: { height: 224, width: 224 },
      size: { shortest_edge: 256 },
      resample: 3,
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
    },
    of(IMAGENET.mean, IMAGENET.std, 'bicubic', 'center', 0.875, 224),
  ],
  [
    'a ConvNext of 224',
    { image_processor_type: 'ConvNextImageProcessor', size: { shortest_edge: 224 }, crop_pct: 0.9 },
    of(HALF.mean, HALF.std, 'bicubic', 'center', 0.9, 224),
  ],
  [
    'a ConvNext of 384',
    { image_processor_type: 'ConvNextImageProcessorFast', size: { shortest_edge: 384 } },
    of(HALF.mean, HALF.std, 'bicubic', 'squash', 1, 384),
  ],
  [
    'a DeiT with nothing but its name',
    { image_processor_type: 'DeiTImageProcessor' },
    of(HALF.mean, HALF.std, 'bicubic', 'squash', 0.875, 224),
  ],
  [
    'a Bit with nothing but its name',
    { image_processor_type: 'BitImageProcessor' },
    of(CLIP.mean, CLIP.std, 'bicubic', 'center', 1, 224),
  ],
  [
    'pixels that are only scaled',
    { do_normalize: false, image_mean: [1, 1, 1] },
    of('0,0,0', '1,1,1', 'bilinear', 'squash', 1, 224),
  ],
] as const) {
  test(`Hugging Face: ${name}`, () => {
    assert.deepEqual(preprocessingOfTransformers('preprocessor_config.json', config), expected);
  });
}

for (const [name, config, expected] of [
  [
    'vit_base_patch16_224.augreg_in21k',
    {
      architecture: 'vit_base_patch16_224',
      pretrained_cfg: {
        input_size: [3, 224, 224],
        interpolation: 'bicubic',
        crop_pct: 0.9,
        crop_mode: 'center',
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
      },
    },
    of(HALF.mean, HALF.std, 'bicubic', 'center', 0.9, 224),
  ],
  [
    'an older file, with the fields at the top',
    { input_size: [3, 384, 384], interpolation: 'bilinear', crop_pct: 1, crop_mode: 'squash' },
    of(IMAGENET.mean, IMAGENET.std, 'bilinear', 'squash', 1, 384),
  ],
  ['nothing but defaults', {}, of(IMAGENET.mean, IMAGENET.std, 'bicubic', 'center', 0.875, 224)],
] as const) {
  test(`timm: ${name}`, () => {
    assert.deepEqual(preprocessingOfTimm('config.json', config), expected);
  });
}

test('every resized side and crop has a fraction that leads back to the side', () => {
  for (let crop = 1; crop <= 400; crop += 3) {
    for (let edge = crop; edge <= 2 * crop; edge++) {
      const file = {
        image_processor_type: 'BitImageProcessor',
        size: { shortest_edge: edge },
        crop_size: { height: crop, width: crop },
      };
      const options = preprocessingOfTransformers('x', file);
      const view = resizedView({ transform: 'paper', ...options }, options.imageSize);
      assert.deepEqual([view.resizeTo, view.centerCrop], [edge, crop]);
    }
  }
});

const refused = (read: () => unknown): string => {
  try {
    read();
  } catch (thrown) {
    if (thrown instanceof VitrailError && thrown.code === 'PREPROCESSING_UNSUPPORTED') return thrown.problem;
    throw thrown;
  }
  throw new Error('it was not refused');
};

for (const [config, problem] of [
  [{ image_processor_type: 'CLIPImageProcessor' }, /image_processor_type is "CLIPImageProcessor"/],
  [{ resample: 1 }, /resample is 1;/],
  [{ do_resize: false }, /do_resize is false/],
  [{ do_rescale: false }, /do_rescale is false/],
  [{ rescale_factor: 0.0078 }, /rescale_factor is 0.0078/],
  [{ size: { height: 224, width: 448 } }, /size is \{"height":224,"width":448\}/],
  [{ size: { longest_edge: 224 } }, /size is \{"longest_edge":224\}/],
  [{ size: { shortest_edge: 224 } }, /do_center_crop is false/],
  [{ image_mean: [0.5] }, /image_mean is \[0.5\]/],
  [{ image_processor_type: 'ConvNextImageProcessor', size: { height: 2, width: 2 } }, /size is/],
  [[], /the file is \[\]/],
  [null, /the file is null/],
] as const) {
  test(`Hugging Face: ${JSON.stringify(config)} is refused by name`, () => {
    assert.match(
      refused(() => preprocessingOfTransformers('p.json', config)),
      problem,
    );
  });
}

for (const [config, problem] of [
  [{ pretrained_cfg: { interpolation: 'random' } }, /interpolation is "random"/],
  [{ pretrained_cfg: { crop_mode: 'border' } }, /crop_mode is "border"/],
  [{ input_size: [3, 224, 256] }, /input_size is \[3,224,256\]/],
  [{ input_size: [1, 224, 224] }, /input_size.0 is 1/],
  [{ pretrained_cfg: { std: 'half' } }, /std is "half"/],
  ['text', /the file is "text"/],
] as const) {
  test(`timm: ${JSON.stringify(config)} is refused by name`, () => {
    assert.match(
      refused(() => preprocessingOfTimm('c.json', config)),
      problem,
    );
  });
}
