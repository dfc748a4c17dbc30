/** Every op against double-precision loops: its value, and its gradients against central differences. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { PURPOSE, KeyedRandom } from '../../src/numbers/random/keyed-random.js';
import { startBackend } from '../../src/nn/backend/backend.js';
import { dropoutMask } from '../../src/kernels/dropout-mask.js';
import { add } from '../../src/nn/ops/add.js';
import { attention } from '../../src/nn/ops/attention.js';
import { classToken } from '../../src/nn/ops/class-token.js';
import { crossEntropy } from '../../src/nn/ops/cross-entropy.js';
import { dropout } from '../../src/nn/ops/dropout.js';
import { embedTokens } from '../../src/nn/ops/embed-tokens.js';
import { gelu } from '../../src/nn/ops/gelu.js';
import { joinRows } from '../../src/nn/ops/join-rows.js';
import { layerNorm } from '../../src/nn/ops/layer-norm.js';
import { layerScale } from '../../src/nn/ops/layer-scale.js';
import { linear } from '../../src/nn/ops/linear.js';
import { poolTokens, tokenSums } from '../../src/nn/ops/pool-tokens.js';
import { scaleImages } from '../../src/nn/ops/scale-images.js';
import { tanh } from '../../src/nn/ops/tanh.js';
import { twoHeads } from '../../src/nn/ops/two-heads.js';
import { Tape } from '../../src/nn/tape.js';
import * as reference from './double-reference.js';
import type { Matrix } from './double-reference.js';
import { relativeError } from './relative-error.js';
import { TESTED_BACKENDS } from './tested-backends.js';

interface Case {
  readonly name: string;
  /** Shapes of the inputs with a gradient. */
  readonly shapes: readonly (readonly number[])[];
  readonly op: (tape: Tape | undefined, inputs: readonly tf.Tensor[]) => tf.Tensor;
  readonly reference: (...inputs: Matrix[]) => Matrix;
}

function values(length: number, stream: number): Float32Array {
  const random = new KeyedRandom(5, PURPOSE.demo, stream);
  return Float32Array.from({ length }, () => random.normal());
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

const matrix = (tensor: tf.Tensor | undefined): tf.Tensor2D => tensor as tf.Tensor2D;
const vector = (tensor: tf.Tensor | undefined): tf.Tensor1D => tensor as tf.Tensor1D;

/** A linear layer whose weights are the tensors at `at` and after it. */
function linearWeights(inputs: readonly tf.Tensor[], at: number) {
  const weight = matrix(inputs[at]);
  return { weight, weightT: tf.transpose(weight), bias: vector(inputs[at + 1]) };
}

const LABELS = Int32Array.of(2, 0, 3);
const PATCHES = values(2 * 4 * 6, 99);
const DROPOUT = { rate: 0.3, seed: 7, step: 11, microBatch: 2 };

const CASES: Case[] = [
  {
    name: 'linear',
    shapes: [[5, 3], [4, 3], [4]],
    op: (tape, inputs) => linear(tape, matrix(inputs[0]), linearWeights(inputs, 1)),
    reference: (x, weight, bias) => reference.linear(x, weight, bias, 3),
  },
  {
    name: 'linear to fewer features',
    shapes: [[7, 6], [2, 6], [2]],
    op: (tape, inputs) => linear(tape, matrix(inputs[0]), linearWeights(inputs, 1)),
    reference: (x, weight, bias) => reference.linear(x, weight, bias, 6),
  },
  {
    name: 'layerNorm',
    shapes: [[4, 6], [6], [6]],
    op: (tape, [x, scale, shift]) =>
      layerNorm(tape, matrix(x), { scale: vector(scale), shift: vector(shift), epsilon: 1e-6 }),
    reference: (x, scale, shift) => reference.layerNorm(x, scale, shift),
  },
  {
    name: 'layerNorm with an epsilon that counts',
    shapes: [[4, 6], [6], [6]],
    op: (tape, [x, scale, shift]) =>
      layerNorm(tape, matrix(x), { scale: vector(scale), shift: vector(shift), epsilon: 0.5 }),
    reference: (x, scale, shift) => reference.layerNorm(x, scale, shift, 0.5),
  },
  {
    name: 'attention',
    shapes: [[2 * 5, 3 * 2 * 3]],
    op: (tape, [qkv]) => attention(tape, matrix(qkv), 2, 2),
    reference: (qkv) => reference.attention(qkv, 2, 2, 5),
  },
  {
    name: 'attention of one image with one head',
    shapes: [[3, 3 * 4]],
    op: (tape, [qkv]) => attention(tape, matrix(qkv), 1, 1),
    reference: (qkv) => reference.attention(qkv, 1, 1, 3),
  },
  {
    name: 'gelu (tanh)',
    shapes: [[3, 8]],
    op: (tape, [x]) => gelu(tape, matrix(x), 'tanh'),
    reference: (x) => reference.gelu(x, 'tanh'),
  },
  {
    name: 'gelu (erf)',
    shapes: [[3, 8]],
    op: (tape, [x]) => gelu(tape, matrix(x), 'erf'),
    reference: (x) => reference.gelu(x, 'erf'),
  },
  {
    name: 'dropout',
    shapes: [[5, 9]],
    op: (tape, [x]) => dropout(tape, matrix(x), DROPOUT, 3),
    reference: (x) => x.map((value, i) => value * dropoutMask(DROPOUT, 3, 45)[i]!),
  },
  {
    name: 'add',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    op: (tape, [a, b]) => add(tape, matrix(a), matrix(b)),
    reference: (a, b) => a.map((value, i) => value + b[i]!),
  },
  {
    name: 'add of a tensor to itself',
    shapes: [[3, 4]],
    op: (tape, [a]) => add(tape, matrix(a), matrix(a)),
    reference: (a) => a.map((value) => 2 * value),
  },
  {
    name: 'embedTokens',
    shapes: [[3, 6], [3], [1, 3], [5, 3]],
    op: (tape, inputs) =>
      embedTokens(tape, tf.tensor2d(PATCHES, [8, 6]), {
        projection: linearWeights(inputs, 0),
        prefix: [matrix(inputs[2])],
        position: matrix(inputs[3]),
        patches: 4,
      }),
    reference: (weight, bias, token, position) =>
      reference.embedTokens(Float64Array.from(PATCHES), weight, bias, token, position),
  },
  ...[7, 4].map((placed) => ({
    name: `embedTokens with registers and ${placed} positions`,
    shapes: [[3, 6], [3], [1, 3], [2, 3], [placed, 3]],
    op: (tape: Tape | undefined, inputs: readonly tf.Tensor[]) =>
      embedTokens(tape, tf.tensor2d(PATCHES, [8, 6]), {
        projection: linearWeights(inputs, 0),
        prefix: [matrix(inputs[2]), matrix(inputs[3])],
        position: matrix(inputs[4]),
        patches: 4,
      }),
    reference: (...inputs: Matrix[]) => {
      const [weight, bias, token, registers, position] = inputs as [Matrix, Matrix, Matrix, Matrix, Matrix];
      const projected = reference.linear(Float64Array.from(PATCHES), weight, bias, 6);
      return Float64Array.from({ length: 2 * 7 * 3 }, (_, i) => {
        const [image, at] = [Math.floor(i / 21), i % 21];
        const value = [...token, ...registers][at] ?? projected[image * 12 + at - 9]!;
        return value + (position[at - 3 * (7 - placed)] ?? 0);
      });
    },
  })),
  {
    name: 'layerScale',
    shapes: [[4, 3], [3]],
    op: (tape, [x, factors]) => layerScale(tape, matrix(x), vector(factors)),
    reference: (x, factors) => x.map((value, i) => value * factors[i % 3]!),
  },
  {
    name: 'linear without a bias',
    shapes: [
      [5, 3],
      [4, 3],
    ],
    op: (tape, [x, weight]) =>
      linear(tape, matrix(x), {
        weight: matrix(weight),
        weightT: tf.transpose(matrix(weight)),
        bias: undefined,
      }),
    reference: (x, weight) => reference.linear(x, weight, new Float64Array(4), 3),
  },
  {
    name: 'poolTokens',
    shapes: [[2 * 5, 3]],
    op: (tape, [x]) =>
      poolTokens(
        tape,
        matrix(x),
        2,
        tokenSums(5, [(token) => (token === 1 ? 1 : 0), (token) => (token < 2 ? 0 : 1 / 3)]),
      ),
    reference: (x) =>
      Float64Array.from({ length: 2 * 2 * 3 }, (_, i) => {
        const [image, sum, column] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3];
        const at = (token: number): number => x[(image * 5 + token) * 3 + column]!;
        return sum === 0 ? at(1) : (at(2) + at(3) + at(4)) / 3;
      }),
  },
  {
    name: 'scaleImages',
    shapes: [[4, 3]],
    op: (tape, [x]) => scaleImages(tape, matrix(x), [0, 1.5]),
    reference: (x) => x.map((value, i) => (i < 6 ? 0 : 1.5 * value)),
  },
  {
    name: 'joinRows',
    shapes: [[4, 3]],
    op: (tape, [x]) => joinRows(tape, matrix(x), 2),
    reference: (x) => x,
  },
  {
    name: 'twoHeads',
    shapes: [[3, 4], [5, 2], [5], [5, 2], [5]],
    op: (tape, inputs) =>
      twoHeads(tape, matrix(inputs[0]), linearWeights(inputs, 1), linearWeights(inputs, 3)),
    reference: (x, weight, bias, otherWeight, otherBias) => {
      const half = (first: boolean): Matrix => x.filter((_, i) => i % 4 < 2 === first);
      const other = reference.linear(half(false), otherWeight, otherBias, 2);
      return reference.linear(half(true), weight, bias, 2).map((value, i) => (value + other[i]!) / 2);
    },
  },
  {
    name: 'classToken',
    shapes: [[3 * 4, 5]],
    op: (tape, [x]) => classToken(tape, matrix(x), 3),
    reference: (x) => x.filter((_, i) => Math.floor(i / 5) % 4 === 0),
  },
  {
    name: 'tanh',
    shapes: [[3, 4]],
    op: (tape, [x]) => tanh(tape, matrix(x)),
    reference: (x) => x.map(Math.tanh),
  },
  ...[0, 0.1].map((smoothing) => ({
    name: `crossEntropy with label smoothing ${smoothing}`,
    shapes: [[3, 4]],
    op: (tape: Tape | undefined, [logits]: readonly tf.Tensor[]) =>
      crossEntropy(tape, matrix(logits), LABELS, smoothing),
    reference: (logits?: Matrix) => reference.crossEntropy(logits!, LABELS, smoothing),
  })),
];

for (const { backend, skip } of TESTED_BACKENDS) {
  for (const { name, shapes, op, reference: expected } of CASES) {
    test(`${name} and its gradients are right on ${backend}`, { skip }, async () => {
      await startBackend(backend);
      const before = tf.memory().numTensors;
      const data = shapes.map((shape, i) => values(size(shape), i));
      const doubles = data.map((input) => Float64Array.from(input));

      tf.tidy(() => {
        const inputs = shapes.map((shape, i) => tf.tensor(data[i]!, [...shape], 'float32'));
        const tape = new Tape(new Map(), () => assert.fail('there are no parameters'));
        inputs.forEach((input) => tape.watch(input));
        const output = op(tape, inputs);
        const value = expected(...doubles);
        assert.ok(relativeError(output.dataSync<'float32'>(), value) < 2e-6, 'value');

        const weights = values(output.size, 77);
        tape.walk(output, tf.tensor(weights, output.shape));
        for (const [i, input] of inputs.entries()) {
          const numeric = reference.numericGradient(expected, doubles, i, Float64Array.from(weights));
          const gradient = tape.takeGradient(input);
          assert.deepEqual(gradient.shape, input.shape, `shape of gradient ${i}`);
          const error = relativeError(gradient.dataSync<'float32'>(), numeric);
          assert.ok(error < 1e-5, `gradient ${i}: relative error ${error}`);
          gradient.dispose();
        }
        assert.deepEqual(op(undefined, inputs).dataSync(), output.dataSync(), 'the same bits without a tape');
      });
      assert.equal(tf.memory().numTensors, before, 'tensors left behind');
    });
  }
}

test('attention on wasm agrees with the loops where our own kernel multiplies', async () => {
  await startBackend('wasm');
  const [images, heads, tokens, width] = [2, 2, 33, 32];
  const qkv = values(images * tokens * 3 * heads * width, 1);
  const actual = tf.tidy(() =>
    attention(undefined, tf.tensor2d(qkv, [images * tokens, 3 * heads * width]), images, heads).dataSync(),
  );
  const expected = reference.attention(Float64Array.from(qkv), images, heads, tokens);
  assert.ok(relativeError(actual as Float32Array, expected) < 2e-6);
});

test('crossEntropy stays finite for logits of any size', async () => {
  await startBackend('wasm');
  const losses = tf.tidy(() => {
    const logits = tf.tensor2d([1000, -1000, 0, 0, 0, 1e30], [2, 3]);
    return crossEntropy(undefined, logits, Int32Array.of(0, 2), 0).dataSync();
  });
  assert.deepEqual([...losses], [0, 0]);
});

for (const label of [-1, 4]) {
  test(`crossEntropy refuses the label ${label} of 4 classes`, async () => {
    await startBackend('wasm');
    assert.throws(() => tf.tidy(() => crossEntropy(undefined, tf.zeros([1, 4]), Int32Array.of(label), 0)), {
      code: 'INTERNAL',
      message: new RegExp(`label ${label} .* 4 classes`),
    });
  });
}
