/** Sums of gradients on a GPU against ExactAccumulator, Fp32Accumulator and gradient-scaling.ts, bit for bit. */
import assert from 'node:assert/strict';
import { exponentScale, sumLimit } from '../../src/numbers/exact/exponents.js';
import { ExactAccumulator } from '../../src/collective/sums/exact-accumulator.js';
import { Fp32Accumulator } from '../../src/collective/sums/fp32-accumulator.js';
import { hostGradient } from '../../src/kernels/gradient-tensor.js';
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import type { GpuKernels, Kernels } from '../../src/kernels/kernel-api.js';
import { plainScaleGradient } from '../../src/worker/optimizer/gradient-scaling.js';
import { contents, held, withBuffers, type Words } from './device-arrays.js';
import { bitsOf, floats, LENGTHS, type Mixture } from './float-samples.js';
import { onDeviceOnly } from './kernel-settings.js';
import { sampledLayout as layout } from './sampled-layout.js';

const MIXTURES: readonly Mixture[] = ['normal', 'any', 'special'];
const bits = (values: Words) => (values instanceof Int32Array ? values : bitsOf(values));
const slots = layout.slots;

function gradients(seed: number, mixture: Mixture): Float32Array[] {
  return LENGTHS.map((length, i) => floats(length, seed + i, mixture));
}

type Add = (slot: number, gradient: DeviceBuffer, sums: DeviceBuffer, statistics: DeviceBuffer) => void;

/** Adds every gradient of every round, and compares sums and statistics. */
function assertAdds(
  kernels: Kernels,
  reference: ExactAccumulator | Fp32Accumulator,
  start: Words,
  rounds: readonly Float32Array[][],
  add: Add,
): void {
  reference.sums.set(start);
  rounds.forEach((round) => {
    round.forEach((values, slot) => {
      reference.add(slot, hostGradient(values));
    });
  });
  withBuffers(kernels, { sums: start, statistics: new Int32Array(2 * slots.length) }, (at) => {
    rounds.forEach((round) => {
      round.forEach((values, slot) => {
        const gradient = held(kernels, values);
        add(slot, gradient, at.sums, at.statistics);
        kernels.release(gradient);
      });
    });
    assert.deepEqual(bits(contents(kernels, at.sums, start)), bits(reference.sums));
    const words = contents(kernels, at.statistics, new Int32Array(2 * slots.length));
    const maxima = new Float32Array(words.buffer).filter((_, i) => i % 2 === 0);
    assert.deepEqual(maxima, reference.maxima);
    assert.deepEqual(
      words.filter((_, i) => i % 2 === 1),
      Int32Array.from(reference.nonFinite),
    );
  });
}

for (const mixture of MIXTURES) {
  onDeviceOnly(`quantised sums of ${mixture} values are ExactAccumulator's`, (kernels, device) => {
    const exponents = Int32Array.from(LENGTHS, (_, i) => [24, 0, -140, 100, 7][i % 5]!);
    for (const microBatches of [1, 48, 2 ** 20]) {
      const reference = new ExactAccumulator(layout, new Int32Array(layout.length));
      reference.begin(exponents, microBatches);
      const rounds = [1, 2].map((round) => gradients(100 * round, mixture));
      // Sums that wrap around: integers of 32 bits do so everywhere.
      const start = new Int32Array(layout.length).fill(0x7fffffff);
      assertAdds(kernels, reference, start, rounds, (slot, gradient, sums, statistics) => {
        const { offset, length } = slots[slot]!;
        const by = { scale: exponentScale(exponents[slot]!), limit: sumLimit(microBatches), microBatches };
        device.quantiseAdd({ gradient, sums, offset, length, ...by, statistics, slot });
      });
    }
  });

  onDeviceOnly(`float sums of ${mixture} values are Fp32Accumulator's`, (kernels, device) => {
    const reference = new Fp32Accumulator(layout, new Float32Array(layout.length));
    const rounds = [1, 2, 3].map((round) => gradients(100 * round, mixture));
    const start = new Float32Array(layout.length).fill(-0);
    assertAdds(kernels, reference, start, rounds, (slot, gradient, sums, statistics) => {
      const { offset, length } = slots[slot]!;
      device.floatAdd({ gradient, sums, offset, length, statistics, slot });
    });
  });

  onDeviceOnly(`scaling ${mixture} values back gives gradient-scaling's floats`, (kernels, device) => {
    const source = floats(layout.length, 5, mixture);
    for (const values of [source, new Int32Array(source.buffer)]) {
      const by = {
        offsets: Float64Array.from(slots, ({ offset }) => offset),
        lengths: Float64Array.from(slots, ({ length }) => length),
        scales: Float64Array.from(slots, (_, i) => [2 ** -20 / 48, 1 / 3, 2 ** 100, 2 ** -149][i % 4]!),
      };
      const expected = scaledOnHost(values, by);
      // Outside the tensors nothing is written.
      const start = new Float32Array(layout.length).fill(0.5);
      expected.out.fill(0.5, 0, 3);
      withBuffers(kernels, { source: values, out: start }, ({ source: from, out }) => {
        const squares = new Float64Array(slots.length).fill(NaN);
        device.scaleGradient({ ...by, source: from, out, squares });
        assert.deepEqual(bitsOf(contents(kernels, out, start)), bitsOf(expected.out));
        assertSquares(squares, expected.squares);
        const inPlace = device.view({ buffer: from, storage: STORAGE.f32 });
        const again = new Float64Array(slots.length);
        device.scaleGradient({ ...by, source: from, out: inPlace, squares: again });
        const back = contents(kernels, inPlace, start);
        assert.deepEqual(bitsOf(back.subarray(3)), bitsOf(expected.out.subarray(3)));
        assert.deepEqual(again, squares, 'the same bits from run to run');
        kernels.release(inPlace);
      });
    }
  });
}

interface Scaling {
  readonly offsets: Float64Array;
  readonly lengths: Float64Array;
  readonly scales: Float64Array;
}

function scaledOnHost(source: Words, by: Scaling): { out: Float32Array; squares: Float64Array } {
  const out = new Float32Array(source.length);
  const squares = new Float64Array(by.scales.length);
  plainScaleGradient({ ...by, source, out, squares });
  return { out, squares };
}

/** As close as double precision is in any order of addition. */
function assertSquares(actual: Float64Array, expected: Float64Array): void {
  expected.forEach((square, i) => {
    const found = actual[i]!;
    const close = Math.abs(found - square) <= 1e-13 * square;
    const same = Number.isFinite(square) ? close : Object.is(found, square);
    assert.ok(same, `squares of tensor ${i}: ${found}, expected ${square}`);
  });
}

onDeviceOnly('squares follow from a tensor alone, among others and by itself', (kernels, device) => {
  // More than fit in one launch, with empty ones in all places.
  const lengths = Float64Array.from({ length: 250 }, (_, i) => (i % 3 === 0 ? 0 : (i * 37) % 20_000));
  const offsets = new Float64Array(lengths.length);
  for (let i = 1; i < offsets.length; i++) offsets[i] = offsets[i - 1]! + lengths[i - 1]! + (i % 5);
  const values = floats(offsets.at(-1)! + lengths.at(-1)!, 9, 'normal');
  const scales = new Float64Array(lengths.length).fill(1 / 3);
  const expected = scaledOnHost(values, { offsets, lengths, scales });
  withBuffers(kernels, { source: values, out: new Float32Array(values.length) }, ({ source, out }) => {
    const squares = new Float64Array(lengths.length);
    device.scaleGradient({ source, out, offsets, lengths, scales, squares });
    assert.deepEqual(contents(kernels, out, values), expected.out);
    assertSquares(squares, expected.squares);
    for (const i of [1, 107, 108, 248]) {
      const alone = held(kernels, values.slice(offsets[i], offsets[i]! + lengths[i]!));
      const square = Float64Array.of(NaN);
      const range = { offsets: Float64Array.of(0), lengths: lengths.slice(i, i + 1) };
      device.scaleGradient({
        source: alone,
        out: alone,
        ...range,
        scales: scales.slice(0, 1),
        squares: square,
      });
      assert.equal(square[0], squares[i], `tensor ${i}`);
      kernels.release(alone);
    }
    const none = new Float64Array(0);
    device.scaleGradient({ source, out, offsets: none, lengths: none, scales: none, squares: none });
  });
});

onDeviceOnly('a sum that would leave a buffer is refused, by the name of the field', (kernels, device) => {
  const arrays = { gradient: new Float32Array(8), sums: new Int32Array(8), statistics: new Int32Array(4) };
  withBuffers(kernels, { ...arrays, floatSums: new Float32Array(8) }, (buffers) => {
    const { floatSums, ...operands } = buffers;
    const good = { ...operands, offset: 2, length: 6, slot: 1 };
    const quantise = (by: object) => () => {
      device.quantiseAdd({ ...good, scale: 1, limit: 100, microBatches: 2, ...by });
    };
    const bf16 = kernels.allocate({ length: 8, storage: STORAGE.bf16 });
    assert.throws(quantise({ offset: 3 }), /^TypeError: sums: 8 elements where 9 are needed/);
    assert.throws(quantise({ sums: floatSums }), /^TypeError: sums: .* another type/);
    assert.throws(quantise({ sums: new Int32Array(8) }), /^TypeError: sums: a number is missing/);
    assert.throws(quantise({ gradient: bf16 }), /^TypeError: gradient: .* another type/);
    assert.throws(quantise({ offset: 0, length: 9 }), /^TypeError: gradient: 8 elements/);
    assert.throws(quantise({ slot: 2 }), /^TypeError: statistics: 4 elements where 6 are needed/);
    assert.throws(quantise({ statistics: buffers.gradient }), /^TypeError: statistics: /);
    for (const slot of [-1, 0.5, NaN, undefined]) assert.throws(quantise({ slot }), /^TypeError: slot: /);
    for (const length of [-1, 1.5, NaN, Infinity, 2 ** 60])
      assert.throws(quantise({ length }), /^TypeError: length: /);
    for (const limit of [-1, 2 ** 31, NaN]) assert.throws(quantise({ limit }), /^TypeError: limit: /);
    assert.throws(quantise({ microBatches: 0 }), /^TypeError: microBatches: /);
    assert.throws(quantise({ scale: '2' }), /^TypeError: scale: /);
    const float = (by: object) => () => {
      device.floatAdd({ ...good, sums: floatSums, ...by });
    };
    assert.throws(float({ sums: buffers.sums }), /^TypeError: sums: .* another type/);
    assert.throws(float({ offset: 3 }), /^TypeError: sums: 8 elements where 9 are needed/);
    kernels.release(bf16);
    assert.throws(quantise({ gradient: bf16 }), /^TypeError: gradient: .* released/);
    assert.deepEqual(contents(kernels, buffers.sums, arrays.sums), arrays.sums);
    assert.deepEqual(contents(kernels, buffers.statistics, arrays.statistics), arrays.statistics);
    assertScalingRefused(device, buffers.gradient, buffers.statistics);
  });
});

function assertScalingRefused(device: GpuKernels, eight: DeviceBuffer, four: DeviceBuffer): void {
  const one = (value: number) => Float64Array.of(value);
  const good = {
    source: eight,
    out: eight,
    offsets: one(0),
    lengths: one(8),
    scales: one(1),
    squares: one(0),
  };
  const refused = (by: object, message: RegExp) => {
    assert.throws(() => {
      device.scaleGradient({ ...good, ...by });
    }, message);
  };
  for (const offset of [1, -1, 0.5, NaN, 2 ** 53]) {
    refused({ offsets: one(offset) }, /^TypeError: (?:source|offsets): /);
  }
  refused({ source: four }, /^TypeError: source: 4 elements where 8 are needed/);
  refused({ out: four }, /^TypeError: out: /);
  refused({ squares: new Float64Array(0) }, /^TypeError: squares: of another length/);
  refused({ scales: new Float64Array(2) }, /^TypeError: scales: of another length/);
  refused({ lengths: new Float64Array(2) }, /^TypeError: lengths: of another length/);
  refused({ squares: new Float32Array(1) }, /^TypeError: squares: a typed array of another type/);
  const overlapping = { offsets: Float64Array.of(0, 3), lengths: Float64Array.of(4, 4) };
  const two = { scales: new Float64Array(2), squares: new Float64Array(2) };
  refused({ ...overlapping, ...two }, /^TypeError: offsets: range 1 begins before the end of another/);
}
