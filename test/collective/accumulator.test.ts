import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exceedsRange, repeatExponents, stepExponents } from '../../src/numbers/exact/exponents.js';
import type { ParameterLayout } from '../../src/run/model/parameter-layout.js';
import { ExactAccumulator } from '../../src/collective/sums/exact-accumulator.js';
import { Fp32Accumulator } from '../../src/collective/sums/fp32-accumulator.js';
import { hostGradient } from '../../src/kernels/gradient-tensor.js';
import { scaleExactGradient } from '../worker/optimizer/scaled.js';

const layout: ParameterLayout = {
  slots: [
    { name: 'a', shape: [3], kind: 'bias', offset: 0, length: 3 },
    { name: 'b', shape: [2, 2], kind: 'kernel', offset: 3, length: 4 },
  ],
  length: 7,
};

/** One micro-batch's gradients, [slot][element]. */
type MicroBatch = readonly Float32Array[];

function exact(): ExactAccumulator {
  return new ExactAccumulator(layout, new Int32Array(layout.length));
}

function addAll(accumulator: ExactAccumulator, batches: readonly MicroBatch[]): void {
  for (const batch of batches)
    batch.forEach((gradient, slot) => accumulator.add(slot, hostGradient(gradient)));
}

function maximaOf(batches: readonly MicroBatch[]): Float32Array {
  const all = layout.slots.map((_, slot) => batches.flatMap((batch) => Array.from(batch[slot]!, Math.abs)));
  return Float32Array.from(all, (values) => Math.max(0, ...values));
}

const gradient = (length: number) =>
  fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values));
const microBatch = fc.tuple(gradient(3), gradient(4));

void test('any partition over any number of workers in any order gives the same sums and maxima', () => {
  const batches = fc.array(microBatch, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      batches,
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.nat()),
      (list, workers, random) => {
        const draw = () => random.next().value as number;
        const exponents = stepExponents(maximaOf(list), list.length, 0);
        const alone = exact();
        alone.begin(exponents, list.length);
        addAll(alone, list);

        const fleet = Array.from({ length: workers }, () => exact());
        for (const worker of fleet) worker.begin(exponents, list.length);
        const shuffled = list
          .map((batch) => ({ batch, key: draw() }))
          .sort((a, b) => a.key - b.key)
          .map(({ batch }) => batch);
        for (const batch of shuffled) addAll(fleet[draw() % workers]!, [batch]);
        const total = new Int32Array(layout.length);
        for (const { sums } of fleet) sums.forEach((sum, i) => (total[i]! += sum));
        assert.deepEqual(total, alone.sums);
        const maxima = alone.maxima.map((_, slot) =>
          Math.max(...fleet.map((worker) => worker.maxima[slot]!)),
        );
        assert.deepEqual(maxima, alone.maxima);
        assert.deepEqual(maxima, maximaOf(list));
      },
    ),
  );
});

void test('no sum overflows when the range was not exceeded, and its error is within a rounding each', () => {
  const batches = fc.array(microBatch, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(batches, fc.integer({ min: -3, max: 3 }), (list, shift) => {
      const maxima = maximaOf(list);
      const exponents = repeatExponents(maxima, list.length).map((e) => Math.min(100, e + shift));
      fc.pre(!exceedsRange(maxima, exponents, list.length));
      const accumulator = exact();
      accumulator.begin(exponents, list.length);
      addAll(accumulator, list);
      layout.slots.forEach(({ offset, length }, slot) => {
        const scale = 2 ** exponents[slot]!;
        for (let i = 0; i < length; i++) {
          const expected = list.reduce((sum, batch) => sum + batch[slot]![i]! * scale, 0);
          assert.ok(Math.abs(accumulator.sums[offset + i]! - expected) <= list.length / 2 + 1e-5);
        }
      });
    }),
  );
});

void test('a tensor keeps its gradient to a relative error of 1e-8 of its largest value', () => {
  const count = 16;
  const list = Array.from({ length: count }, (_, m): MicroBatch => {
    const wave = (length: number) =>
      Float32Array.from({ length }, (_, i) => ((m * 7 + i * 3) % 11) / 11 - 0.4);
    return [wave(3), wave(4)];
  });
  const exponents = stepExponents(maximaOf(list), count);
  const accumulator = exact();
  accumulator.begin(exponents, count);
  addAll(accumulator, list);
  const mean = new Float32Array(layout.length);
  scaleExactGradient(accumulator.sums, exponents, count, layout, mean);
  layout.slots.forEach(({ offset, length }, slot) => {
    mean.subarray(offset, offset + length).forEach((value, i) => {
      const reference = list.reduce((sum, batch) => sum + batch[slot]![i]!, 0) / count;
      assert.ok(Math.abs(value - reference) < 3e-8, `${value} for ${reference}`);
    });
  });
});

void test('values are rounded to the nearest integer, halves to even', () => {
  const accumulator = exact();
  accumulator.begin(Int32Array.of(0, 0), 1);
  accumulator.add(0, hostGradient(Float32Array.of(0.5, 1.5, -2.5)));
  accumulator.add(1, hostGradient(Float32Array.of(-0.5, 2.5, 3.5, -0.75)));
  assert.deepEqual(accumulator.sums, Int32Array.of(0, 2, -2, 0, 2, 4, -1));
});

void test('a value out of range is left out and shows in the maxima', () => {
  const accumulator = exact();
  const exponents = stepExponents(Float32Array.of(1, 1), 4);
  accumulator.begin(exponents, 4);
  accumulator.add(0, hostGradient(Float32Array.of(1, -1e30, 0.5)));
  assert.equal(accumulator.sums[1], 0);
  assert.equal(accumulator.sums[0], 2 ** exponents[0]!);
  assert.deepEqual(accumulator.maxima, Float32Array.of(1e30, 0));
  assert.deepEqual(accumulator.nonFinite, Uint8Array.of(0, 0));
  assert.ok(exceedsRange(accumulator.maxima, exponents, 4));
});

void test('NaN and Infinity are left out and recorded by tensor, until the next step begins', () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    for (const accumulator of [exact(), new Fp32Accumulator(layout, new Float32Array(layout.length))]) {
      accumulator.begin(Int32Array.of(0, 0), 2);
      accumulator.add(0, hostGradient(Float32Array.of(1, 2, 3)));
      accumulator.add(1, hostGradient(Float32Array.of(1, bad, -3, 4)));
      assert.deepEqual(accumulator.nonFinite, Uint8Array.of(0, 1));
      assert.deepEqual(accumulator.maxima, Float32Array.of(3, 4));
      assert.deepEqual(Array.from(accumulator.sums), [1, 2, 3, 1, 0, -3, 4]);
      accumulator.begin(Int32Array.of(0, 0), 2);
      assert.deepEqual(accumulator.nonFinite, Uint8Array.of(0, 0));
      assert.deepEqual(accumulator.maxima, Float32Array.of(0, 0));
      assert.ok(accumulator.sums.every((sum) => sum === 0));
    }
  }
});

void test('plain fp32 sums are rounded after every addition', () => {
  const accumulator = new Fp32Accumulator(layout, new Float32Array(layout.length));
  accumulator.begin();
  for (const g of [1e8, 1, -1e8]) accumulator.add(0, hostGradient(Float32Array.of(g, 3, g)));
  assert.deepEqual(Array.from(accumulator.sums.subarray(0, 3)), [0, 9, 0]);
});

void test('gradients, sums and exponents of other lengths are refused', () => {
  const accumulator = exact();
  accumulator.begin(Int32Array.of(0, 0), 4);
  assert.throws(() => accumulator.add(0, hostGradient(new Float32Array(4))), /4 values for a of 3/);
  assert.throws(() => accumulator.add(2, hostGradient(new Float32Array(4))), /no tensor 2/);
  assert.throws(() => accumulator.begin(Int32Array.of(0), 4), /1 exponents for 2 tensors/);
  assert.throws(() => new ExactAccumulator(layout, new Int32Array(6)), /6 sums for 7 parameters/);
  assert.throws(() => new Fp32Accumulator(layout, new Float32Array(8)), /8 sums for 7 parameters/);
});
