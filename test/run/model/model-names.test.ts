/** The model that was probably meant by a name of another house. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestedModel } from '../../../src/run/model/model-names.js';

for (const [given, meant] of [
  ['ViT-Huge', 'vit-h/14'],
  ['vit_micro', 'vit-micro/8'],
  ['vit_base_patch32_224', 'vit-b/32'],
  ['deit-tiny', 'vit-ti/16'],
  ['resnet50', 'vit-b/16'],
] as const) {
  test(`${given} means ${meant}`, () => {
    assert.equal(suggestedModel(given), meant);
  });
}
