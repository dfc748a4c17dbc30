/** The optimizers on a GPU against those in TypeScript, bit for bit. */
import assert from 'node:assert/strict';
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import type { GpuKernels, Kernels } from '../../src/kernels/kernel-api.js';
import { adamUpdate } from '../../src/worker/optimizer/adam-update.js';
import { momentumUpdate } from '../../src/worker/optimizer/momentum-update.js';
import { averageUpdate } from '../../src/worker/optimizer/optimizer.js';
import { contents, withBuffers } from './device-arrays.js';
import { stored, takeBack } from './device-values.js';
import { bitsOf, floats, LENGTHS, type Mixture } from './float-samples.js';
import { onDeviceOnly } from './kernel-settings.js';
import { sampledLayout as layout } from './sampled-layout.js';

const MIXTURES: readonly Mixture[] = ['normal', 'any', 'special'];
const RANGES = {
  offsets: Float64Array.from(layout.slots, ({ offset }) => offset),
  lengths: Float64Array.from(layout.slots, ({ length }) => length),
};

type Arrays<N extends string> = Readonly<Record<N, Float32Array>>;

/** Arrays of the layout's length by name; squares where a name says so. */
function sampled<N extends string>(names: readonly N[], mixture: Mixture): Arrays<N> {
  const entries = names.map((name, i) => {
    const values = floats(layout.length, 1000 * i, mixture);
    return [name, name === 'expAvgSq' ? values.map(Math.abs) : values] as const;
  });
  return Object.fromEntries(entries) as Arrays<N>;
}

/** Runs both on the same arrays, in all ranges, and compares all arrays and the shadow, which is bf16. */
function compare<N extends string>(
  kernels: Kernels,
  start: Arrays<N>,
  plain: (arrays: Arrays<N>, first: number, end: number, slot: number) => void,
  onDevice: (buffers: Record<N, DeviceBuffer> & { shadow: DeviceBuffer }) => void,
): void {
  const entries = Object.entries<Float32Array>(start).map(([name, values]) => [name, values.slice()]);
  const expected = Object.fromEntries(entries) as Arrays<N>;
  layout.slots.forEach(({ offset, length }, slot) => {
    plain(expected, offset, offset + length, slot);
  });
  withBuffers(kernels, start, (buffers) => {
    const shadow = kernels.allocate({ length: layout.length, storage: STORAGE.bf16 });
    kernels.write({ buffer: shadow, values: new Uint16Array(layout.length).fill(0x3f80) });
    onDevice({ ...buffers, shadow });
    for (const [name, values] of Object.entries<Float32Array>(expected)) {
      const actual = contents(kernels, buffers[name as N], values);
      assert.deepEqual(bitsOf(actual), bitsOf(values), name);
    }
    // Outside the ranges nothing is written.
    const rounded = Float32Array.from(stored(expected['weights' as N], 'bf16')).fill(1, 0, 3);
    assert.deepEqual(bitsOf(takeBack(kernels, shadow, layout.length, 'bf16')), bitsOf(rounded));
  });
}

const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, clipFactor: 0.37 };
const CORRECTIONS = [
  { firstCorrection: 10, secondCorrection: 31.6 },
  { firstCorrection: 1.3, secondCorrection: 1.1 },
];
const decays = (coupled: boolean) => Float64Array.from(LENGTHS, (_, i) => (coupled ? [0.3, 0][i % 2]! : 0));

for (const mixture of MIXTURES) {
  onDeviceOnly(`Adam updates ${mixture} values as adamUpdate does, with a bf16 copy`, (kernels, device) => {
    const start = sampled(['weights', 'gradient', 'expAvg', 'expAvgSq'], mixture);
    for (const coupled of [false, true]) {
      const by = { ...ADAM, ...CORRECTIONS[Number(coupled)]! };
      const [coupledDecays, decoupledDecays] = [decays(coupled), decays(!coupled)];
      compare(
        kernels,
        start,
        (arrays, first, end, slot) => {
          const [coupledDecay, decoupledDecay] = [coupledDecays[slot]!, decoupledDecays[slot]!];
          adamUpdate(arrays, first, end, { ...by, coupledDecay, decoupledDecay });
        },
        (buffers) => {
          device.adamUpdate({ ...buffers, ...RANGES, ...by, coupledDecays, decoupledDecays });
        },
      );
    }
  });

  onDeviceOnly(
    `SGD updates ${mixture} values as momentumUpdate does, with a bf16 copy`,
    (kernels, device) => {
      const by = { lr: 0.03, momentum: 0.9, clipFactor: 0.77 };
      const weightDecays = Float64Array.from(LENGTHS, (_, i) => [1e-4, 0, 0.1][i % 3]!);
      const start = sampled(['weights', 'gradient', 'momentumBuffer'], mixture);
      compare(
        kernels,
        start,
        (arrays, first, end, slot) => {
          momentumUpdate(arrays, first, end, { ...by, weightDecay: weightDecays[slot]! });
        },
        (buffers) => {
          device.momentumUpdate({ ...buffers, ...RANGES, ...by, weightDecays });
        },
      );
    },
  );

  onDeviceOnly(`the moving average of ${mixture} values is averageUpdate's`, (kernels, device) => {
    const start = sampled(['average', 'weights'], mixture);
    const expected = start.average.slice();
    for (const [offset, length] of [
      [0, 0],
      [0, 4096],
      [5001, 70_001],
    ] as const) {
      averageUpdate(
        expected.subarray(offset, offset + length),
        start.weights.subarray(offset, offset + length),
        0.9998,
      );
    }
    withBuffers(kernels, start, (buffers) => {
      for (const [offset, length] of [
        [0, 0],
        [0, 4096],
        [5001, 70_001],
      ] as const) {
        device.averageUpdate({ ...buffers, offset, length, decay: 0.9998 });
      }
      assert.deepEqual(bitsOf(contents(kernels, buffers.average, expected)), bitsOf(expected));
      assert.deepEqual(bitsOf(contents(kernels, buffers.weights, expected)), bitsOf(start.weights));
    });
  });
}

onDeviceOnly('more tensors than one launch takes are updated each by its own decay', (kernels, device) => {
  const count = 300;
  const lengths = Float64Array.from({ length: count }, (_, i) => (i * 13) % 29);
  const offsets = new Float64Array(count);
  for (let i = 1; i < count; i++) offsets[i] = offsets[i - 1]! + lengths[i - 1]!;
  const weightDecays = Float64Array.from({ length: count }, (_, i) => i / 100);
  const by = { lr: 0.1, momentum: 0.5, clipFactor: 1 };
  const length = offsets.at(-1)! + lengths.at(-1)!;
  const start = { weights: floats(length, 1, 'normal'), gradient: floats(length, 2, 'normal') };
  const momentumBuffer = new Float32Array(length);
  const expected = { ...start, weights: start.weights.slice(), momentumBuffer: momentumBuffer.slice() };
  offsets.forEach((offset, i) => {
    momentumUpdate(expected, offset, offset + lengths[i]!, { ...by, weightDecay: weightDecays[i]! });
  });
  withBuffers(kernels, { ...start, momentumBuffer }, (buffers) => {
    device.momentumUpdate({ ...buffers, offsets, lengths, weightDecays, ...by });
    assert.deepEqual(contents(kernels, buffers.weights, momentumBuffer), expected.weights);
    assert.deepEqual(contents(kernels, buffers.momentumBuffer, momentumBuffer), expected.momentumBuffer);
  });
});

onDeviceOnly(
  'an update that would leave a buffer is refused, by the name of the field',
  (kernels, device) => {
    const eight = () => new Float32Array(8);
    const arrays = { weights: eight(), gradient: eight(), expAvg: eight(), expAvgSq: eight() };
    withBuffers(kernels, { ...arrays, short: new Float32Array(7), whole: new Int32Array(8) }, (buffers) => {
      const one = (value: number) => Float64Array.of(value);
      const by = { ...ADAM, ...CORRECTIONS[0]! };
      const { short, whole, ...operands } = buffers;
      const good = {
        ...operands,
        offsets: one(0),
        lengths: one(8),
        coupledDecays: one(0),
        decoupledDecays: one(0),
      };
      const refused = (other: object, message: RegExp) => {
        assert.throws(() => {
          device.adamUpdate({ ...good, ...by, ...other });
        }, message);
      };
      for (const name of Object.keys(arrays)) {
        refused({ [name]: short }, new RegExp(`^TypeError: ${name}: 7 elements where 8 are needed`));
        refused({ [name]: whole }, new RegExp(`^TypeError: ${name}: .* another type`));
        refused({ [name]: arrays.weights }, new RegExp(`^TypeError: ${name}: a number is missing`));
      }
      for (const name of Object.keys(by)) {
        refused({ [name]: undefined }, new RegExp(`^TypeError: ${name}: a number is missing`));
      }
      refused({ shadow: buffers.weights }, /^TypeError: shadow: .* another type/);
      refused({ decoupledDecays: new Float64Array(2) }, /^TypeError: decoupledDecays: of another length/);
      refused({ lengths: one(2 ** 53) }, /^TypeError: lengths: /);
      assertMomentumRefused(device, buffers);
      assert.throws(() => {
        device.averageUpdate({
          average: buffers.weights,
          weights: short,
          offset: 1,
          length: 7,
          decay: 0.9,
        });
      }, /^TypeError: weights: 7 elements where 8 are needed/);
      assert.deepEqual(contents(kernels, buffers.weights, arrays.weights), arrays.weights);
    });
  },
);

function assertMomentumRefused(
  device: GpuKernels,
  { weights, gradient, short }: Record<'weights' | 'gradient' | 'short', DeviceBuffer>,
): void {
  const ranges = {
    offsets: Float64Array.of(4),
    lengths: Float64Array.of(4),
    weightDecays: Float64Array.of(0),
  };
  const by = { lr: 1, momentum: 0.9, clipFactor: 1 };
  assert.throws(() => {
    device.momentumUpdate({ weights, gradient, momentumBuffer: short, ...ranges, ...by });
  }, /^TypeError: momentumBuffer: 7 elements where 8 are needed/);
}
