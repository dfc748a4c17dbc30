/** Runs the same tfjs expression on tfjs's cpu backend and on the native one, at every level, on one thread and two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { startBackend } from '../../src/nn/backend/backend.js';
import { loadKernels } from '../../src/kernels/addon.js';
import { assertClose, normals } from './kernel-device.js';

const loaded = loadKernels();
export const SKIP = loaded.kernels === undefined ? loaded.reason : false;

export type Expression = () => tf.Tensor | tf.Tensor[];

interface Result {
  readonly shape: number[];
  readonly dtype: tf.DataType;
  readonly values: Float32Array | Int32Array | Uint8Array;
}

function evaluate(expression: Expression): Result[] {
  const tensors = tf.memory().numTensors;
  const results = tf.tidy(() =>
    [expression()]
      .flat()
      .map((tensor) => ({ shape: tensor.shape, dtype: tensor.dtype, values: tensor.dataSync<'float32'>() })),
  );
  assert.equal(tf.memory().numTensors, tensors, 'tensors are left over');
  return results;
}

/** The results at every level on one thread, which must be the same bits on two. */
function nativeResults(expression: Expression): [string, Result[]][] {
  const kernels = loaded.kernels!;
  return kernels.levels().map((level) => {
    const runs = [1, 2].map((threads) => {
      kernels.configure({ level, threads });
      const before = kernels.memory().blocksInUse;
      const results = evaluate(expression);
      assert.equal(kernels.memory().blocksInUse, before, `${level}: buffers are left over`);
      return results;
    });
    assert.deepEqual(runs[1], runs[0], `${level}: other bits on two threads`);
    return [level, runs[0]!];
  });
}

/**
 * @param tolerance of float results, relative to 1 + |expected|
 */
export function sameAsCpu(name: string, expression: Expression, tolerance = 1e-6): void {
  test(name, { skip: SKIP }, async () => {
    await startBackend('cpu');
    const expected = evaluate(expression);
    await startBackend('native');
    for (const [level, actual] of nativeResults(expression)) {
      assert.equal(actual.length, expected.length);
      for (const [i, { shape, dtype, values }] of actual.entries()) {
        assert.deepEqual(shape, expected[i]!.shape, `${level}: shape of result ${i}`);
        assert.equal(dtype, expected[i]!.dtype, `${level}: type of result ${i}`);
        const allowed = dtype === 'float32' ? tolerance : 0;
        assertClose(values, expected[i]!.values, allowed, `${level}: result ${i}`);
      }
    }
  });
}

/** A test on the native backend alone. */
export function onNative(name: string, body: () => void): void {
  test(name, { skip: SKIP }, async () => {
    await startBackend('native');
    tf.tidy(body);
  });
}

/** Normally distributed floats, the same for the same shape and seed. */
export function floats(shape: number[], seed = 1): tf.Tensor {
  return tf.tensor(normals(tf.util.sizeFromShape(shape), seed), shape, 'float32');
}

/** Whole numbers from -20 to 20. */
export function integers(shape: number[], seed = 1): tf.Tensor {
  const values = normals(tf.util.sizeFromShape(shape), seed);
  return tf.tensor(
    Int32Array.from(values, (value) => Math.round(7 * value)),
    shape,
    'int32',
  );
}

export function booleans(shape: number[], seed = 1): tf.Tensor {
  const values = normals(tf.util.sizeFromShape(shape), seed);
  return tf.tensor(
    Uint8Array.from(values, (value) => Number(value > 0)),
    shape,
    'bool',
  );
}

/** NaN, infinities, zeros, and numbers on both sides of them. */
export const SPECIAL = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3e38,
  -3e38,
  1e-38,
  1e-42,
];
