/** Fine-tuning keeps the encoder, resamples position embeddings and starts the head at zero. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { resampleGrid } from '../../../src/run/model/position-interpolation.js';
import { adaptWeights } from '../../../src/run/model/weight-adaptation.js';

const from = modelSpec('micro/8', { imageSize: 32, classes: 10, preLogits: 16 });
const to = modelSpec('micro/8', { imageSize: 56, classes: 4 });
const weights = Float32Array.from({ length: parameterLayout(from).length }, (_, i) => (i % 1013) - 500);

function valuesOf(spec: typeof from, flat: Float32Array, name: string): Float32Array {
  const { offset, length } = parameterLayout(spec).slots.find((slot) => slot.name === name)!;
  return flat.subarray(offset, offset + length);
}

test('encoder weights are kept, the head is zero and pre-logits are gone', () => {
  const adapted = adaptWeights(from, weights, to);
  assert.equal(adapted.length, parameterLayout(to).length);
  for (const { name } of parameterLayout(to).slots) {
    if (name === 'pos_embed') continue;
    const values = valuesOf(to, adapted, name);
    if (name.startsWith('head.')) assert.ok(values.every((value) => value === 0));
    else assert.deepEqual(values, valuesOf(from, weights, name), name);
  }
});

test('the position of the class token is kept, those of the corner patches too', () => {
  const before = valuesOf(from, weights, 'pos_embed');
  const after = valuesOf(to, adaptWeights(from, weights, to), 'pos_embed');
  assert.deepEqual(after.subarray(0, 64), before.subarray(0, 64));
  assert.deepEqual(after.subarray(64, 128), before.subarray(64, 128));
  assert.deepEqual(after.subarray(-64), before.subarray(-64));
});

test('a 3 x 3 grid is resampled to 5 x 5 with its corners aligned', () => {
  // Old points at every second new one, means of two or four in between.
  const grid = Float32Array.from({ length: 9 }, (_, i) => i * i);
  const expected = [
    [0, 0.5, 1, 2.5, 4],
    [4.5, 6.5, 8.5, 11.5, 14.5],
    [9, 12.5, 16, 20.5, 25],
    [22.5, 27.5, 32.5, 38.5, 44.5],
    [36, 42.5, 49, 56.5, 64],
  ];
  assert.deepEqual([...resampleGrid(grid, 3, 5, 1)], expected.flat());
});

test('a linear function of the position is resampled exactly, up and down', () => {
  const linear = (size: number) =>
    Float32Array.from({ length: size * size * 2 }, (_, i) => {
      const point = Math.floor(i / 2);
      const along = i % 2 === 0 ? Math.floor(point / size) : point % size;
      return along / (size - 1);
    });
  for (const [small, large] of [
    [3, 9],
    [5, 17],
    [2, 3],
  ] as const) {
    assert.deepEqual(resampleGrid(linear(small), small, large, 2), linear(large));
    assert.deepEqual(resampleGrid(linear(large), large, small, 2), linear(small));
  }
});

test('a grid of one point is spread, and any grid shrinks to one point', () => {
  assert.deepEqual([...resampleGrid(Float32Array.of(3, 4), 1, 2, 2)], [3, 4, 3, 4, 3, 4, 3, 4]);
  assert.deepEqual([...resampleGrid(Float32Array.of(1, 2, 3, 4), 2, 1, 1)], [1]);
});

test('the same image size keeps every bit of the position embedding', () => {
  const same = modelSpec('micro/8', { imageSize: 32, classes: 3 });
  const adapted = adaptWeights(from, weights, same);
  assert.deepEqual(valuesOf(same, adapted, 'pos_embed'), valuesOf(from, weights, 'pos_embed'));
});

test('another encoder is refused with what differs', () => {
  const other = modelSpec('ti/16', { imageSize: 32, classes: 4, gelu: 'erf' });
  assert.throws(() => adaptWeights(from, weights, other), {
    code: 'CHECKPOINT_OTHER_MODEL',
    message: /layers 4 instead of 12.*patch 8 instead of 16, gelu tanh instead of erf/,
  });
});

test('a target with pre-logits is refused', () => {
  const target = modelSpec('micro/8', { imageSize: 32, classes: 4, preLogits: 16 });
  assert.throws(() => adaptWeights(from, weights, target), {
    code: 'CHECKPOINT_OTHER_MODEL',
    message: /pre-logits/,
  });
});

test('weights of another length are refused', () => {
  assert.throws(() => adaptWeights(from, weights.subarray(1), to), { code: 'INTERNAL' });
});

test('positions of class token and registers are kept, and one without an entry for them has none', () => {
  for (const positions of ['all-tokens', 'patches'] as const) {
    const features = { classes: 4, registers: 2, layerScale: 1e-5, positions };
    const small = modelSpec('micro/8', { imageSize: 32, ...features });
    const large = modelSpec('micro/8', { imageSize: 56, ...features });
    const { length } = parameterLayout(small);
    const flat = Float32Array.from({ length }, (_, i) => (i % 1013) - 500);
    const before = valuesOf(small, flat, 'pos_embed');
    const after = valuesOf(large, adaptWeights(small, flat, large), 'pos_embed');
    const kept = positions === 'patches' ? 0 : 3;
    // The first patch is a corner of the grid, so its position stays, too.
    assert.deepEqual(after.subarray(0, 64 * (kept + 1)), before.subarray(0, 64 * (kept + 1)));
    assert.deepEqual(after.subarray(-64), before.subarray(-64));
  }
});

test('a model without LayerScale is none for weights with it, whatever its factors began with', () => {
  const of = (layerScale: number) => modelSpec('micro/8', { imageSize: 32, classes: 4, layerScale });
  const flat = new Float32Array(parameterLayout(of(1)).length);
  adaptWeights(of(1), flat, of(1e-5));
  assert.throws(() => adaptWeights(of(1), flat, of(0)), {
    code: 'CHECKPOINT_OTHER_MODEL',
    message: /layerScale 1 instead of 0/,
  });
});
