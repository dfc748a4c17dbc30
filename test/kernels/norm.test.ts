import assert from 'node:assert/strict';
import { STORAGE, type Storage } from '../../src/kernels/kernel-api/memory.js';
import { assertClose, normals, roundedToBf16, testKernels, type KernelDevice } from './kernel-device.js';

interface Case {
  readonly rows: number;
  readonly width: number;
  readonly stride?: number;
  readonly storage?: Storage;
  readonly offset?: number;
}

const CASES: readonly Case[] = [
  ...[1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 80, 192, 197].map((width) => ({ rows: 5, width })),
  { rows: 0, width: 8 },
  { rows: 1, width: 768 },
  { rows: 259, width: 20 },
  { rows: 1100, width: 3 },
  { rows: 4, width: 19, stride: 57 },
  { rows: 6, width: 33, storage: STORAGE.bf16 },
  { rows: 3, width: 192, stride: 192 * 5, storage: STORAGE.bf16 },
  // Rows that a GPU keeps in registers: of one to six times 256 elements, whole 16-byte groups.
  { rows: 37, width: 256 },
  { rows: 70, width: 264, storage: STORAGE.bf16 },
  { rows: 6, width: 512, stride: 520 },
  { rows: 33, width: 768, storage: STORAGE.bf16 },
  { rows: 5, width: 1024 },
  { rows: 5, width: 1024, storage: STORAGE.bf16 },
  { rows: 5, width: 1280, storage: STORAGE.bf16 },
  { rows: 5, width: 1536, storage: STORAGE.bf16 },
  // And rows that it does not: too wide, or not all of them aligned.
  { rows: 3, width: 1280 },
  { rows: 3, width: 2304, storage: STORAGE.bf16 },
  { rows: 9, width: 64, stride: 65, storage: STORAGE.bf16 },
  // More rows than partial sums.
  { rows: 16500, width: 8 },
  // A mean far above the deviation: the variance must not be what is left of the squares.
  { rows: 3, width: 100, offset: 1000 },
];

const EPSILON = 1e-6;

const rounded = (values: Float32Array, storage: Storage): Float32Array =>
  storage === STORAGE.bf16 ? roundedToBf16(values) : values;

/** What a case needs is made once for all settings. */
function once<V>(make: (c: Case) => V): (c: Case) => V {
  const made = new Map<Case, V>();
  return (c) => {
    const known = made.get(c) ?? make(c);
    made.set(c, known);
    return known;
  };
}

const operands = once((c) => {
  const storage = c.storage ?? STORAGE.f32;
  const stride = c.stride ?? c.width;
  const spread = c.rows === 0 ? 0 : (c.rows - 1) * stride + c.width;
  return {
    storage,
    stride,
    spread,
    dense: c.rows * c.width,
    x: rounded(
      normals(spread, c.width).map((v) => v + (c.offset ?? 0)),
      storage,
    ),
    dy: rounded(normals(c.rows * c.width, 2), storage),
    residual: rounded(normals(spread, 3), storage),
    scale: normals(c.width, 4),
    shift: normals(c.width, 5),
  };
});

/** In double precision; dx has `residual` in it and is NaN between strided rows. */
const reference = once((c) => {
  const o = operands(c);
  const y: number[] = [];
  const mean: number[] = [];
  const rstd: number[] = [];
  const dx = new Float64Array(o.spread).fill(NaN);
  const dScale = new Float64Array(c.width);
  const dShift = new Float64Array(c.width);
  for (let row = 0; row < c.rows; row++) {
    const x = Array.from(o.x.subarray(row * o.stride, row * o.stride + c.width));
    const average = x.reduce((sum, v) => sum + v, 0) / c.width;
    const variance = x.reduce((sum, v) => sum + (v - average) ** 2, 0) / c.width;
    const inverse = 1 / Math.sqrt(variance + EPSILON);
    mean.push(average);
    rstd.push(inverse);
    const n = x.map((v) => (v - average) * inverse);
    const g = n.map((_, i) => o.dy[row * c.width + i]! * o.scale[i]!);
    const meanOfG = g.reduce((sum, v) => sum + v, 0) / c.width;
    const meanOfProducts = g.reduce((sum, v, i) => sum + v * n[i]!, 0) / c.width;
    for (let i = 0; i < c.width; i++) {
      y.push(n[i]! * o.scale[i]! + o.shift[i]!);
      const at = row * o.stride + i;
      dx[at] = o.residual[at]! + inverse * (g[i]! - meanOfG - n[i]! * meanOfProducts);
      dScale[i]! += o.dy[row * c.width + i]! * n[i]!;
      dShift[i]! += o.dy[row * c.width + i]!;
    }
  }
  return { y, mean, rstd, dx, dScale, dShift };
});

function run(device: KernelDevice, c: Case) {
  const o = operands(c);
  const { kernels } = device;
  const shape = { rows: c.rows, width: c.width, ...(c.stride === undefined ? {} : { stride: c.stride }) };
  const x = device.hold(o.x, o.storage);
  const [scale, shift] = [device.hold(o.scale), device.hold(o.shift)];
  const [mean, rstd] = [device.space(c.rows), device.space(c.rows)];
  const y = device.space(o.dense, o.storage);
  kernels.layerNormForward({ ...shape, x, y, scale, shift, epsilon: EPSILON, mean, rstd });
  const again = device.space(o.dense, o.storage);
  kernels.layerNormRecompute({ ...shape, x, y: again, scale, shift, mean, rstd });
  const residual = device.hold(o.residual, o.storage);
  const [dScale, dShift] = [device.space(c.width), device.space(c.width)];
  kernels.layerNormBackward({
    ...shape,
    x,
    dy: device.hold(o.dy, o.storage),
    scale,
    mean,
    rstd,
    residual,
    dx: residual,
    dScale,
    dShift,
  });
  return {
    y: device.read(y, o.dense),
    again: device.read(again, o.dense),
    mean: device.read(mean, c.rows),
    rstd: device.read(rstd, c.rows),
    dx: device.read(residual, o.spread),
    dScale: device.read(dScale, c.width),
    dShift: device.read(dShift, c.width),
  };
}

testKernels('values and gradients of layer normalisation are those of the definition', (device) => {
  for (const c of CASES) {
    const what = `${device.level} ${JSON.stringify(c)}`;
    const [actual, expected] = [run(device, c), reference(c)];
    const far = c.offset === undefined ? 1 : 100;
    const tolerance = far * (c.storage === STORAGE.bf16 ? 4e-3 : 2e-6);
    assertClose(actual.mean, expected.mean, far * 2e-6, `${what}: mean`);
    assertClose(actual.rstd, expected.rstd, far * 2e-6, `${what}: rstd`);
    assertClose(actual.y, expected.y, tolerance, `${what}: y`);
    assert.deepEqual(actual.again, actual.y, `${what}: the same bits again`);
    const untouched = operands(c).residual;
    const dx = expected.dx.map((v, i) => (Number.isNaN(v) ? untouched[i]! : v));
    // A row of equal elements has rstd 1000: its gradient is as much larger, and so is the error.
    assertClose(actual.dx, dx, c.width <= 2 ? 2e-3 : 2 * tolerance, `${what}: dx`);
    const sums = far * 2e-6 * Math.sqrt(1 + c.rows);
    assertClose(actual.dScale, expected.dScale, sums, `${what}: dScale`);
    assertClose(actual.dShift, expected.dShift, sums, `${what}: dShift`);
  }
});

testKernels('rows are normalised from one storage into the other', (device) => {
  for (const [from, to] of [
    [STORAGE.f32, STORAGE.bf16],
    [STORAGE.bf16, STORAGE.f32],
  ] as const) {
    const c = { rows: 5, width: 48, storage: from };
    const o = operands(c);
    const y = device.space(o.dense, to);
    device.kernels.layerNormForward({
      rows: c.rows,
      width: c.width,
      x: device.hold(o.x, from),
      y,
      epsilon: EPSILON,
      scale: device.hold(o.scale),
      shift: device.hold(o.shift),
      mean: device.space(c.rows),
      rstd: device.space(c.rows),
    });
    assertClose(
      device.read(y, o.dense),
      reference(c).y,
      to === STORAGE.bf16 ? 4e-3 : 2e-6,
      `${device.level} to ${to}`,
    );
  }
});

testKernels('without a residual dx is the gradient of x alone', (device) => {
  const c = { rows: 9, width: 21 };
  const o = operands(c);
  const expected = reference(c);
  const dx = device.space(o.dense, STORAGE.bf16);
  device.kernels.layerNormBackward({
    ...c,
    x: device.hold(o.x),
    dy: device.hold(o.dy),
    scale: device.hold(o.scale),
    mean: device.hold(expected.mean),
    rstd: device.hold(expected.rstd),
    dx,
    dScale: device.space(c.width),
    dShift: device.space(c.width),
  });
  const alone = expected.dx.map((v, i) => v - o.residual[i]!);
  assertClose(device.read(dx, o.dense), alone, 4e-3, device.level);
});

testKernels('NaN and infinities spoil their own row only', (device) => {
  const width = 37;
  const x = normals(4 * width, 1);
  x[3] = NaN;
  x[width + 36] = Infinity;
  x[2 * width] = -Infinity;
  const y = device.space(4 * width);
  const [mean, rstd] = [device.space(4), device.space(4)];
  device.kernels.layerNormForward({
    rows: 4,
    width,
    x: device.hold(x),
    y,
    epsilon: EPSILON,
    mean,
    rstd,
    scale: device.hold(normals(width, 2)),
    shift: device.hold(normals(width, 3)),
  });
  const values = device.read(y, 4 * width);
  assert.ok(values.subarray(0, 3 * width).every(Number.isNaN), device.level);
  assert.ok(values.subarray(3 * width).every(Number.isFinite), device.level);
});

testKernels('buffers that are too short or of a wrong type are refused by name', (device) => {
  const { kernels } = device;
  const call = (change: object): void => {
    const fields = {
      rows: 3,
      width: 8,
      x: device.space(24),
      y: device.space(24),
      epsilon: EPSILON,
      scale: device.space(8),
      shift: device.space(8),
      mean: device.space(3),
      rstd: device.space(3),
    };
    kernels.layerNormForward({ ...fields, ...change });
  };
  call({});
  assert.throws(() => call({ x: device.space(23) }), /x: 23 elements where 24 are needed/);
  assert.throws(() => call({ x: device.space(24), stride: 9 }), /x: 24 elements where 26 are needed/);
  assert.throws(() => call({ stride: 7 }), /stride/);
  assert.throws(() => call({ width: 0 }), /width/);
  assert.throws(() => call({ rows: 2 ** 31, width: 2 ** 40 }), /x: 24 elements/);
  assert.throws(() => call({ mean: device.space(3, STORAGE.bf16) }), /mean: stored in another type/);
  assert.throws(() => call({ y: device.space(24, STORAGE.i32) }), /y: not stored as f32 or bf16/);
});
