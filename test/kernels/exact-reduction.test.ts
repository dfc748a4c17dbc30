/** The native sums of gradients against ExactAccumulator, Fp32Accumulator and gradient-scaling.ts, bit for bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExactAccumulator } from '../../src/collective/sums/exact-accumulator.js';
import { Fp32Accumulator } from '../../src/collective/sums/fp32-accumulator.js';
import { hostGradient, type GradientTensor } from '../../src/kernels/gradient-tensor.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';
import { plainScaleGradient } from '../../src/worker/optimizer/gradient-scaling.js';
import { bitsOf, floats, LENGTHS, type Mixture } from './float-samples.js';
import { inEverySetting, onProcessorOnly } from './kernel-settings.js';
import { sampledLayout as layout } from './sampled-layout.js';
import { scaleExactGradient, scaleFloatGradient } from '../worker/optimizer/scaled.js';

const MIXTURES: readonly Mixture[] = ['normal', 'any', 'special'];

/** Gradients of all slots, as the engine hands them out: on the host, or in a buffer. */
function gradients(seed: number, mixture: Mixture): GradientTensor[] {
  return LENGTHS.map((length, i) => hostGradient(floats(length, seed + i, mixture)));
}

function inBuffer(kernels: Kernels, gradient: GradientTensor): GradientTensor {
  const { length } = gradient;
  const buffer = kernels.allocate({ length, storage: STORAGE.f32 });
  kernels.write({ buffer, values: gradient.hostValues() });
  return { length, buffer, hostValues: () => assert.fail('read back for nothing') };
}

function sharedInts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * length));
}

function addAll(accumulator: ExactAccumulator | Fp32Accumulator, list: readonly GradientTensor[]): void {
  list.forEach((gradient, slot) => {
    accumulator.add(slot, gradient);
  });
}

function assertSame(actual: ExactAccumulator | Fp32Accumulator, expected: typeof actual, what: string): void {
  const bits = (sums: Int32Array | Float32Array) => (sums instanceof Int32Array ? sums : bitsOf(sums));
  assert.deepEqual(bits(actual.sums), bits(expected.sums), what);
  assert.deepEqual(actual.maxima, expected.maxima, what);
  assert.deepEqual(actual.nonFinite, expected.nonFinite, what);
}

for (const mixture of MIXTURES) {
  onProcessorOnly(`quantised sums of ${mixture} values are ExactAccumulator's`, (kernels) => {
    const exponents = Int32Array.from(LENGTHS, (_, i) => [24, 0, -140, 100, 7][i % 5]!);
    for (const microBatches of [1, 48, 2 ** 20]) {
      const reference = new ExactAccumulator(layout, sharedInts(layout.length));
      reference.begin(exponents, microBatches);
      const rounds = [1, 2].map((round) => gradients(100 * round, mixture));
      // Sums that wrap around: integers of 32 bits do so everywhere.
      reference.sums.fill(0x7fffffff);
      for (const round of rounds) addAll(reference, round);
      inEverySetting(kernels, (setting) => {
        const native = new ExactAccumulator(layout, sharedInts(layout.length), kernels);
        native.begin(exponents, microBatches);
        native.sums.fill(0x7fffffff);
        addAll(native, rounds[0]!);
        const buffered = rounds[1]!.map((gradient) => inBuffer(kernels, gradient));
        addAll(native, buffered);
        for (const { buffer } of buffered) kernels.release(buffer!);
        assertSame(native, reference, setting);
      });
    }
  });

  onProcessorOnly(`float sums of ${mixture} values are Fp32Accumulator's`, (kernels) => {
    const rounds = [1, 2, 3].map((round) => gradients(100 * round, mixture));
    const sums = () => new Float32Array(new SharedArrayBuffer(4 * layout.length));
    const reference = new Fp32Accumulator(layout, sums());
    reference.sums.fill(-0);
    for (const round of rounds) addAll(reference, round);
    inEverySetting(kernels, (setting) => {
      const native = new Fp32Accumulator(layout, sums(), kernels);
      native.sums.fill(-0);
      for (const round of rounds) addAll(native, round);
      assertSame(native, reference, setting);
    });
  });

  onProcessorOnly(`scaling ${mixture} values back gives gradient-scaling's floats and squares`, (kernels) => {
    const source = floats(layout.length, 5, mixture);
    for (const values of [source, new Int32Array(source.buffer)]) {
      const by = {
        source: values,
        offsets: Float64Array.from(layout.slots, ({ offset }) => offset),
        lengths: Float64Array.from(layout.slots, ({ length }) => length),
        scales: Float64Array.from(
          layout.slots,
          (_, i) => [2 ** -20 / 48, 1 / 3, 2 ** 100, 2 ** -149][i % 4]!,
        ),
      };
      const reference = {
        ...by,
        out: new Float32Array(layout.length),
        squares: new Float64Array(LENGTHS.length),
      };
      plainScaleGradient(reference);
      inEverySetting(kernels, (setting) => {
        const copied = values.slice();
        const inPlace = new Float32Array(copied.buffer);
        const apart = new Float32Array(new SharedArrayBuffer(4 * layout.length));
        for (const [from, out] of [
          [values, apart],
          [copied, inPlace],
        ] as const) {
          const squares = new Float64Array(LENGTHS.length).fill(NaN);
          kernels.scaleGradient({ ...by, source: from, out, squares });
          assert.deepEqual([...squares], [...reference.squares], setting);
          // Outside the tensors nothing is written.
          assert.deepEqual(bitsOf(out.subarray(3)), bitsOf(reference.out.subarray(3)), setting);
        }
        assert.deepEqual(apart.subarray(0, 3), new Float32Array(3), setting);
      });
    }
  });
}

onProcessorOnly('norm and tensor that is not finite are the same with kernels and without', (kernels) => {
  const values = floats(layout.length, 8, 'normal');
  const integers = Int32Array.from(values, (value) => 2 ** 24 * value);
  const exponents = LENGTHS.map((_, i) => 24 + (i % 3));
  const out = () => new Float32Array(layout.length);
  assert.deepEqual(
    scaleExactGradient(integers, exponents, 48, layout, out(), kernels),
    scaleExactGradient(integers, exponents, 48, layout, out()),
  );
  for (const bad of [NaN, Infinity]) {
    values[layout.slots[9]!.offset] = bad;
    const expected = scaleFloatGradient(values, 48, layout, out());
    assert.equal(expected.notFinite, 'tensor 9');
    assert.deepEqual(scaleFloatGradient(values, 48, layout, out(), kernels), expected);
  }
});

onProcessorOnly('a call that would leave an array is refused, by the name of the field', (kernels) => {
  const gradient = kernels.allocate({ length: 8, storage: STORAGE.f32 });
  const bf16 = kernels.allocate({ length: 8, storage: STORAGE.bf16 });
  const good = { gradient, offset: 2, length: 6, scale: 1, limit: 100, microBatches: 2 };
  const sums = new Int32Array(8);
  const quantise = (by: object) => () => kernels.quantiseAdd({ ...good, sums, ...by });
  assert.throws(quantise({ sums: new Int32Array(7) }), /^TypeError: sums: 7 elements where 8 are needed/);
  assert.throws(quantise({ sums: new Float32Array(8) }), /^TypeError: sums: .* another type/);
  assert.throws(quantise({ gradient: bf16 }), /^TypeError: gradient: /);
  assert.throws(quantise({ gradient: -1 }), /^TypeError: gradient: /);
  assert.throws(
    quantise({ offset: 0, length: 9, sums: new Int32Array(9) }),
    /^TypeError: gradient: 8 elements/,
  );
  for (const length of [-1, 1.5, NaN, Infinity, 2 ** 60])
    assert.throws(quantise({ length }), /TypeError: length: /);
  for (const limit of [-1, 2 ** 31, NaN]) assert.throws(quantise({ limit }), /^TypeError: limit: /);
  assert.throws(quantise({ microBatches: 0 }), /^TypeError: microBatches: /);
  assert.throws(quantise({ scale: '2' }), /^TypeError: scale: /);
  assert.deepEqual(sums, new Int32Array(8));

  const out = new Float32Array(8);
  const one = (value: number) => Float64Array.of(value);
  const scaling = { source: out, out, offsets: one(0), lengths: one(8), scales: one(1), squares: one(0) };
  const scale = (by: object) => () => {
    kernels.scaleGradient({ ...scaling, ...by });
  };
  for (const offset of [1, -1, 0.5, NaN, 2 ** 53]) {
    assert.throws(scale({ offsets: one(offset) }), /^TypeError: (?:source|offsets): /);
  }
  assert.throws(scale({ out: new Float32Array(7) }), /^TypeError: out: /);
  assert.throws(scale({ squares: new Float64Array(0) }), /^TypeError: offsets: of another length/);
  assert.throws(scale({ source: new Float64Array(8) }), /^TypeError: source: /);
  kernels.release(gradient);
  kernels.release(bf16);
});

test('a gradient on the host is its own value', () => {
  const values = Float32Array.of(1, 2);
  const gradient = hostGradient(values);
  assert.equal(gradient.hostValues(), values);
  assert.equal(gradient.length, 2);
  assert.equal(gradient.buffer, undefined);
});
