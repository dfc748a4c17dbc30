/** A model that is larger than an ONNX file can be is refused before it is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { onnxObstacle } from '../../../src/weights/export/onnx-builder.js';

const parameters = (model: string): number =>
  parameterLayout(modelSpec(model, { imageSize: 224, classes: 1000 })).length;

test('ViT-H is too large for an ONNX file in fp32 and not in fp16; ViT-L is not', () => {
  assert.match(
    onnxObstacle(parameters('vit-h/14'), 'fp32')!,
    /take 2\.5 GB; half of that with --precision fp16/,
  );
  assert.equal(onnxObstacle(parameters('vit-h/14'), 'fp16'), null);
  assert.equal(onnxObstacle(parameters('vit-l/16'), 'fp32'), null);
  assert.doesNotMatch(onnxObstacle(parameters('vit-48x1664x8192x16/14'), 'fp32')!, /fp16/);
});
