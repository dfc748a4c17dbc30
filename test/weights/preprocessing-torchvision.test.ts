/** What torchvision lists for its weights (torchvision.models.vision_transformer, version 0.29), by name, side and patch. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { preprocessingOfTorchvision } from '../../src/weights/preprocessing-torchvision.js';

for (const [fileName, imageSize, patch, interpolation, resized] of [
  ['vit_b_16-c867db91.pth', 224, 16, 'bilinear', 256],
  ['vit_b_32-d86f8d99.pth', 224, 32, 'bilinear', 256],
  ['vit_l_16-852ce7e3.pth', 224, 16, 'bilinear', 242],
  ['vit_l_32-c7638314.pth', 224, 32, 'bilinear', 256],
  ['vit_b_16_swag-9ac1b537.pth', 384, 16, 'bicubic', 384],
  ['vit_b_16_lc_swag-4e70ced5.pth', 224, 16, 'bicubic', 224],
  ['vit_l_16_lc_swag-4d563306.pth', 224, 16, 'bicubic', 224],
  ['vit_h_14_swag-80465313.pth', 518, 14, 'bicubic', 518],
  ['renamed.pth', 512, 16, 'bicubic', 512],
  ['renamed.pth', 224, 16, 'bilinear', 256],
] as const) {
  test(`${fileName} for ${imageSize} pixels: ${interpolation}, from a shorter side of ${resized}`, () => {
    const found = preprocessingOfTorchvision(fileName, { imageSize, patch });
    assert.equal(found.interpolation, interpolation);
    assert.equal(Math.floor(imageSize / found.cropFraction), resized);
    assert.equal(found.imageSize, imageSize);
  });
}
