import assert from 'node:assert/strict';
import { STORAGE, type Storage } from '../../src/kernels/kernel-api/memory.js';
import { assertClose, normals, roundedToBf16, testKernels, type KernelDevice } from './kernel-device.js';
import { gpuSkip, processorSkip } from './kernel-settings.js';

interface Case {
  readonly logits: Float32Array;
  readonly labels: readonly number[];
  readonly classes: number;
  readonly smoothing: number;
  readonly storage?: Storage;
}

/** In double precision; a term of weight 0 counts nothing. */
function reference({ logits, labels, classes, smoothing }: Case) {
  const dLogits = new Float64Array(logits.length);
  const losses = labels.map((label, row) => {
    const z = logits.subarray(row * classes, (row + 1) * classes);
    const largest = z.reduce((most, v) => Math.max(most, v), -Infinity);
    const sum = z.reduce((total, v) => total + Math.exp(v - largest), 0);
    let loss = 0;
    z.forEach((v, i) => {
      const target = (i === label ? 1 - smoothing : 0) + smoothing / classes;
      if (target > 0) loss += target * (Math.log(sum) + largest - v);
      dLogits[row * classes + i] = Math.exp(v - largest) / sum - target;
    });
    return loss;
  });
  return { losses, dLogits };
}

function run(device: KernelDevice, c: Case) {
  const rows = c.labels.length;
  const length = rows * c.classes;
  const logits = device.hold(c.logits, c.storage);
  const [losses, predictions] = [device.space(rows), device.space(rows, STORAGE.i32)];
  device.kernels.crossEntropy({
    logits,
    labels: device.hold(c.labels, STORAGE.i32),
    rows,
    classes: c.classes,
    smoothing: c.smoothing,
    losses,
    dLogits: logits,
    predictions,
  });
  return {
    losses: device.read(losses, rows),
    dLogits: device.read(logits, length),
    predictions: Array.from(device.read(predictions, rows)),
  };
}

testKernels('losses and gradients of cross entropy are those of the definition', (device) => {
  for (const classes of [1, 2, 3, 10, 15, 16, 17, 33, 100, 1000]) {
    for (const smoothing of [0, 0.1, 1]) {
      for (const storage of [STORAGE.f32, STORAGE.bf16]) {
        const rows = classes === 10 ? 700 : 5;
        const random = normals(rows * classes, classes).map((v) => 4 * v);
        const logits = storage === STORAGE.bf16 ? roundedToBf16(random) : random;
        const labels = Array.from({ length: rows }, (_, row) => (row * 7) % classes);
        const c = { logits, labels, classes, smoothing, storage };
        const [actual, expected] = [run(device, c), reference(c)];
        const what = `${device.level}: ${classes} classes, smoothing ${smoothing}, storage ${storage}`;
        assertClose(actual.losses, expected.losses, 5e-7, `${what}: losses`);
        assertClose(actual.dLogits, expected.dLogits, storage === STORAGE.bf16 ? 4e-3 : 3e-7, what);
      }
    }
  }
});

testKernels('a loss next to nothing keeps its digits', (device) => {
  const c = { logits: Float32Array.of(0, 30, 5, 1000, 0, 0), labels: [1, 0], classes: 3, smoothing: 0 };
  const { losses } = run(device, c);
  assert.ok(Math.abs(losses[0]! / Math.log1p(Math.exp(-30) + Math.exp(-25)) - 1) < 1e-4, String(losses[0]));
  assert.equal(losses[1], 0);
});

testKernels('of equal logits the first is predicted, NaN never', (device) => {
  const rows = [
    [1, 3, 3, 2],
    [NaN, -Infinity, -Infinity, -Infinity],
    [NaN, NaN, NaN, NaN],
    [5, NaN, 7, NaN],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [-0, 0, -1, -2],
    [0, 1, Infinity, Infinity],
  ];
  for (const padding of [0, 3, 4, 12, 13, 29, 400]) {
    const classes = 4 + padding;
    const filler: number[] = new Array<number>(padding).fill(NaN);
    const logits = Float32Array.from(rows.flatMap((row) => [...row, ...filler]));
    const { predictions } = run(device, { logits, labels: rows.map(() => 0), classes, smoothing: 0 });
    assert.deepEqual(predictions, [1, 1, 0, 2, 0, 0, 2], `${device.level}: ${classes} classes`);
  }
});

testKernels('NaN and infinities spoil their own sample as they do in PyTorch', (device) => {
  const inf = Infinity;
  const logits = Float32Array.of(0, NaN, 1, 0, inf, 1, 0, -inf, 1, -inf, 0, 1, -inf, -inf, -inf, 1, 2, 3);
  const labels = [0, 0, 0, 0, 0, 0];
  const plain = run(device, { logits, labels, classes: 3, smoothing: 0 });
  const { losses: expected } = reference({
    logits: Float32Array.of(1, 2, 3),
    labels: [0],
    classes: 3,
    smoothing: 0,
  });
  const pair = Math.log(1 + Math.E);
  assertClose(plain.losses, [NaN, NaN, pair, inf, NaN, expected[0]!], 1e-6, device.level);
  assert.ok(plain.dLogits.subarray(0, 6).every(Number.isNaN));
  assert.equal(plain.dLogits[7], 0);
  assertClose(
    plain.dLogits.subarray(9, 12),
    [-1, 1 / (1 + Math.E), Math.E / (1 + Math.E)],
    1e-6,
    device.level,
  );
  const smoothed = run(device, { logits, labels, classes: 3, smoothing: 0.1 });
  assert.deepEqual(Array.from(smoothed.losses.subarray(0, 5)), [NaN, NaN, inf, inf, NaN]);
});

const BAD_LABELS = [-1, 3, 2 ** 31 - 1, -(2 ** 31)];

function refusesBadLabels(device: KernelDevice): void {
  const { kernels } = device;
  for (const label of BAD_LABELS) {
    const logits = device.hold([1, 2, 3, 4, 5, 6]);
    const losses = device.hold([8, 9]);
    const labels = device.hold([0, label], STORAGE.i32);
    const by = { logits, labels, rows: 2, classes: 3, smoothing: 0, losses, dLogits: logits };
    const message = new RegExp(`labels: ${label} of sample 1 is not in \\[0, 3\\)`);
    assert.throws(() => kernels.crossEntropy(by), message);
    assert.deepEqual(Array.from(device.read(logits, 6)), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(Array.from(device.read(losses, 2)), [8, 9]);
  }
}

testKernels('a label out of range is refused before anything is written', refusesBadLabels, processorSkip());

function spoilsSamplesOfBadLabels(device: KernelDevice): void {
  for (const smoothing of [0, 0.1]) {
    for (const label of BAD_LABELS) {
      const c = { logits: Float32Array.of(1, 3, 2, 4, 5, 6), classes: 3, smoothing };
      const actual = run(device, { ...c, labels: [label, 0] });
      const expected = reference({ ...c, labels: [0, 0] });
      assert.ok([actual.losses[0]!, ...actual.dLogits.subarray(0, 3)].every(Number.isNaN), String(label));
      assertClose(actual.losses.subarray(1), expected.losses.slice(1), 5e-7, device.level);
      assertClose(actual.dLogits.subarray(3), expected.dLogits.subarray(3), 3e-7, device.level);
      assert.deepEqual(actual.predictions, [1, 2]);
    }
  }
}

testKernels(
  'on a GPU a label out of range makes loss and gradient of its sample NaN',
  spoilsSamplesOfBadLabels,
  gpuSkip(),
);

testKernels('losses alone can be asked for, and of no samples', (device) => {
  const losses = device.space(1);
  const labels = device.hold([1], STORAGE.i32);
  const by = { logits: device.hold([0, 0]), labels, classes: 2, losses };
  device.kernels.crossEntropy({ ...by, rows: 0, smoothing: 0 });
  assert.equal(device.read(losses, 1)[0], 77);
  device.kernels.crossEntropy({ ...by, rows: 1, smoothing: 0 });
  assertClose(device.read(losses, 1), [Math.LN2], 1e-6, device.level);
  for (const smoothing of [-0.1, 1.1, NaN]) {
    assert.throws(() => device.kernels.crossEntropy({ ...by, rows: 1, smoothing }), /smoothing/);
  }
  assert.throws(() => device.kernels.crossEntropy({ ...by, rows: 2, smoothing: 0 }), /logits: 2 elements/);
  assert.throws(() => device.kernels.crossEntropy({ ...by, rows: 0, classes: 0, smoothing: 0 }), /classes/);
});
