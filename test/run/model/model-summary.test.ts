/** Parameter counts of the literature, and the FLOPs of docs/performance's convention. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { foldedRows, modelSummary } from '../../../src/run/model/model-summary.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';

const COUNTS: [name: string, classes: number, parameters: number][] = [
  ['b/16', 1000, 86_567_656],
  ['b/32', 1000, 88_224_232],
  ['l/16', 1000, 304_326_632],
  ['b/16', 90, 85_867_866],
];

for (const [name, classes, parameters] of COUNTS) {
  test(`${name} with ${classes} classes has ${parameters} parameters at 224 px`, () => {
    const spec = modelSpec(name, { imageSize: 224, classes });
    assert.equal(modelSummary(spec).parameters, parameters);
    assert.equal(parameterLayout(spec).length, parameters);
  });
}

const GIGAFLOPS: [name: string, imageSize: number, forward: number][] = [
  ['b/16', 224, 35.1],
  ['l/16', 224, 123.1],
  ['h/14', 224, 334.6],
];

for (const [name, imageSize, forward] of GIGAFLOPS) {
  test(`${name} at ${imageSize} px takes ${forward} GFLOP forward`, () => {
    const { forwardFlops } = modelSummary(modelSpec(name, { imageSize, classes: 1000 }));
    assert.equal(Math.round(forwardFlops / 1e8) / 10, forward);
  });
}

test('the encoder takes L (24 S D^2 + 4 S^2 D) operations', () => {
  const spec = modelSpec('b/16', { imageSize: 224, classes: 1000 });
  const encoder = modelSummary(spec).rows.filter(({ layer }) => layer.startsWith('blocks.'));
  const flops = encoder.reduce((sum, row) => sum + row.flops, 0);
  assert.equal(flops, 12 * (24 * 197 * 768 ** 2 + 4 * 197 ** 2 * 768));
});

test('every parameter belongs to exactly one row, pre-logits included', () => {
  const spec = modelSpec('micro/4', { imageSize: 32, classes: 10, preLogits: 48 });
  const summary = modelSummary(spec);
  assert.equal(summary.parameters, parameterLayout(spec).length);
  assert.deepEqual(
    summary.rows.filter(({ layer }) => !layer.startsWith('blocks.')).map(({ layer }) => layer),
    ['patch_embed', 'tokens', 'norm', 'pre_logits', 'head'],
  );
  assert.deepEqual(summary.rows.at(-2), {
    layer: 'pre_logits',
    outputShape: [48],
    parameters: 64 * 48 + 48,
    flops: 2 * 64 * 48,
  });
  assert.deepEqual(summary.rows.at(-1), {
    layer: 'head',
    outputShape: [10],
    parameters: 490,
    flops: 960,
  });
});

test('a model with ten layers or more counts each block once', () => {
  const rows = modelSummary(modelSpec('ti/16', { imageSize: 224, classes: 10 })).rows;
  const first = rows.find(({ layer }) => layer === 'blocks.1.mlp')!;
  const eleventh = rows.find(({ layer }) => layer === 'blocks.10.mlp')!;
  assert.deepEqual({ ...first, layer: '' }, { ...eleventh, layer: '' });
});

test('blocks are folded to a row a kind or to one, and every sum stays', () => {
  const spec = modelSpec('b/16', { imageSize: 224, classes: 1000 });
  const { rows, parameters, forwardFlops } = modelSummary(spec);
  for (const [depth, count, block] of [
    [1, 5, 'blocks.0-11'],
    [2, 8, 'blocks.0-11.mlp'],
    [3, 52, 'blocks.7.mlp'],
  ] as const) {
    const folded = foldedRows(rows, spec.layers, depth);
    assert.equal(folded.length, count);
    assert.ok(folded.some(({ layer }) => layer === block));
    assert.equal(
      folded.reduce((sum, row) => sum + row.parameters, 0),
      parameters,
    );
    assert.equal(
      folded.reduce((sum, row) => sum + row.flops, 0),
      forwardFlops,
    );
  }
});
