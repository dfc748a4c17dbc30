/** What torchvision does with images before its Vision Transformers; its files of weights do not say it. Pure. */
import type { ModelSpec } from '../run/model/model-spec.js';
import { cropFractionOf } from '../run/model/crop-fraction.js';
import type { SourcePreprocessing } from './preprocessing.js';

/** torchvision.transforms._presets.ImageClassification. */
const NORMALISATION = { mean: '0.485,0.456,0.406', std: '0.229,0.224,0.225' } as const;

/** Sides of the weights called IMAGENET1K_SWAG_E2E_V1. */
const SWAG_SIDES: readonly number[] = [384, 512, 518];

/**
 * As torchvision.models.vision_transformer lists its weights: those of SWAG keep the whole shorter side and resize
 * bicubically. Their files have that word in their names, and are the only ones with patches of 14 or for three larger sizes.
 * The others are cropped for 224 pixels from 256, or from 242 for ViT-L/16.
 * @param fileName as torchvision names it, for example `vit_b_16_swag-9ac1b537.pth`
 */
export function preprocessingOfTorchvision(
  fileName: string,
  { imageSize, patch }: Pick<ModelSpec, 'imageSize' | 'patch'>,
): SourcePreprocessing {
  const swag = /swag/i.test(fileName) || patch === 14 || SWAG_SIDES.includes(imageSize);
  const other = /^vit_l_16\b/i.test(fileName) ? cropFractionOf(224, 242) : 0.875;
  return {
    ...NORMALISATION,
    interpolation: swag ? 'bicubic' : 'bilinear',
    cropMode: 'center',
    cropFraction: swag ? 1 : other,
    imageSize,
  };
}
