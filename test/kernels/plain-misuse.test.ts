/** No call of a plain kernel can touch memory that is not its own; bf16 tensors go through plain kernels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { loadKernels } from '../../src/kernels/addon.js';
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import type { UnaryOp } from '../../src/kernels/kernel-api/plain.js';
import {
  bufferOf,
  emptyTensor,
  nativeKernels,
  storageOf,
  withF32Buffers,
} from '../../src/nn/backend/tensor-buffers.js';
import { assertClose, roundToBf16, testKernels } from './kernel-device.js';
import { floats, onNative, SKIP } from './plain-comparison.js';

const kernels = loadKernels().kernels!;

interface Buffers {
  /** 12 elements. */
  readonly f32: DeviceBuffer;
  /** 6 elements. */
  readonly short: DeviceBuffer;
  readonly i32: DeviceBuffer;
  readonly u8: DeviceBuffer;
  readonly bf16: DeviceBuffer;
}

function withBuffers(body: (buffers: Buffers) => void): void {
  const { f32, bf16, i32, u8 } = STORAGE;
  const make = (storage: 0 | 1 | 2 | 3, length = 12) => kernels.allocate({ length, storage });
  const buffers = { f32: make(f32), short: make(f32, 6), i32: make(i32), u8: make(u8), bf16: make(bf16) };
  body(buffers);
  for (const buffer of Object.values(buffers)) kernels.release(buffer);
}

const whole = { shape: [3, 4], stridesA: [4, 1], stridesB: [4, 1] };
const copied = { shape: [3, 4], stridesX: [4, 1], stridesY: [4, 1] };
const sizes = { outer: 2, length: 3, inner: 2 };

const MISUSES: Record<string, [(buffers: Buffers) => void, RegExp]> = {
  'an unknown unary op': [
    ({ f32 }) => kernels.unary({ op: 'sine' as UnaryOp, x: f32, y: f32, length: 1 }),
    /op: sine is unknown/,
  ],
  'a missing op': [
    ({ f32 }) => kernels.unary({ x: f32, y: f32, length: 1 } as never),
    /op: a string is missing/,
  ],
  'a short input': [
    ({ f32, short }) => kernels.unary({ op: 'neg', x: short, y: f32, length: 7 }),
    /x: 6 elements/,
  ],
  'a short output': [
    ({ f32, short }) => kernels.unary({ op: 'neg', x: f32, y: short, length: 7 }),
    /y: 6 elements/,
  ],
  'a float op of whole numbers': [
    ({ i32 }) => kernels.unary({ op: 'exp', x: i32, y: i32, length: 2 }),
    /x: stored/,
  ],
  'a unary op of bf16': [
    ({ bf16 }) => kernels.unary({ op: 'neg', x: bf16, y: bf16, length: 2 }),
    /x: stored/,
  ],
  'isNaN to floats': [({ f32 }) => kernels.unary({ op: 'isNaN', x: f32, y: f32, length: 2 }), /y: stored/],
  'operands of two types': [
    ({ f32, i32 }) => kernels.binary({ op: 'add', a: f32, b: i32, y: f32, ...whole }),
    /b: stored/,
  ],
  'whole numbers divided': [
    ({ i32 }) => kernels.binary({ op: 'div', a: i32, b: i32, y: i32, ...whole }),
    /a: stored/,
  ],
  'logic of floats': [
    ({ f32, u8 }) => kernels.binary({ op: 'and', a: f32, b: f32, y: u8, ...whole }),
    /a: stored/,
  ],
  'a comparison to floats': [
    ({ f32 }) => kernels.binary({ op: 'less', a: f32, b: f32, y: f32, ...whole }),
    /y: stored/,
  ],
  'strides that leave an operand': [
    ({ f32, short }) => kernels.binary({ op: 'add', a: f32, b: short, y: f32, ...whole }),
    /b: offset and strides lead out of its 6 elements/,
  ],
  'too few strides': [
    ({ f32 }) => kernels.binary({ op: 'add', a: f32, b: f32, y: f32, ...whole, stridesA: [1] }),
    /shape: not as many as strides/,
  ],
  'a negative stride of an operand': [
    ({ f32 }) => kernels.binary({ op: 'add', a: f32, b: f32, y: f32, ...whole, stridesA: [-4, 1] }),
    /stridesA: item 0 is not a whole number/,
  ],
  'a shape beyond all memory': [
    ({ f32 }) =>
      kernels.binary({
        op: 'add',
        a: f32,
        b: f32,
        y: f32,
        shape: [2 ** 30, 2 ** 30],
        stridesA: [0, 0],
        stridesB: [0, 0],
      }),
    /shape: more elements than there can be/,
  ],
  'more dimensions than there can be': [
    ({ f32 }) => kernels.stridedCopy({ x: f32, y: f32, ...copied, shape: new Array<number>(13).fill(1) }),
    /shape: 13 numbers where at most 12 can be/,
  ],
  'a reduction of too much': [
    ({ f32, short }) => kernels.reduce({ op: 'sum', x: f32, y: short, ...sizes, length: 4 }),
    /x: 12 elements/,
  ],
  'a reduction to too little': [
    ({ f32, short }) => kernels.reduce({ op: 'sum', x: f32, y: short, outer: 12, length: 1, inner: 1 }),
    /y: 6 elements/,
  ],
  'a mean of whole numbers': [
    ({ i32 }) => kernels.reduce({ op: 'mean', x: i32, y: i32, ...sizes }),
    /x: stored/,
  ],
  'argMax to floats': [({ f32 }) => kernels.reduce({ op: 'argMax', x: f32, y: f32, ...sizes }), /y: stored/],
  'softmax of too many rows': [
    ({ f32, short }) => kernels.softmax({ x: short, y: f32, rows: 2, width: 4 }),
    /x: 6 elements/,
  ],
  'a copy from beyond': [
    ({ f32, short }) => kernels.stridedCopy({ x: short, y: f32, ...copied }),
    /x: offset and strides lead out/,
  ],
  'a copy to before the start': [
    ({ f32, short }) =>
      kernels.stridedCopy({ x: short, y: f32, shape: [6], stridesX: [1], stridesY: [-1], offsetY: 4 }),
    /y: offset and strides lead out/,
  ],
  'a copy between types': [({ f32, i32 }) => kernels.stridedCopy({ x: f32, y: i32, ...copied }), /y: stored/],
  'a copy onto itself': [({ f32 }) => kernels.stridedCopy({ x: f32, y: f32, ...copied }), /y: is x itself/],
  'indices that are floats': [
    ({ f32, short }) =>
      kernels.gather({ x: f32, indices: f32, y: short, outer: 1, axis: 3, count: 1, inner: 4 }),
    /indices: stored/,
  ],
  'a condition of floats': [
    ({ f32 }) => kernels.select({ condition: f32, a: f32, b: f32, y: f32, length: 2 }),
    /condition: stored/,
  ],
  'a fill of too much': [({ short }) => kernels.fill({ y: short, value: 1, length: 7 }), /y: 6 elements/],
  'a released buffer': [
    ({ f32 }) => {
      const gone = kernels.allocate({ length: 4, storage: STORAGE.f32 });
      kernels.release(gone);
      kernels.convert({ x: gone, y: f32, length: 4 });
    },
    /x: .* is no buffer, or a released one/,
  ],
};

for (const [name, [call, message]] of Object.entries(MISUSES)) {
  test(`${name} is refused`, { skip: SKIP }, () => {
    withBuffers((buffers) => assert.throws(() => call(buffers), { name: 'TypeError', message }));
  });
}

testKernels('every storage converts to every other, bf16 rounded to the nearest', (device) => {
  const values = [0, 1, -2, 2.5, 3.1415926, 300, -0.001];
  const { f32, bf16, i32, u8 } = STORAGE;
  for (const from of [f32, bf16, i32, u8]) {
    const x = device.hold(from === i32 || from === u8 ? [0, 1, 2, 200, 3] : values, from);
    const length = from === i32 || from === u8 ? 5 : values.length;
    const held = device.read(x, length);
    for (const to of [f32, bf16, i32, u8]) {
      const y = device.space(length, to);
      device.kernels.convert({ x, y, length });
      const expected = Array.from(held, (value) => {
        const read = from === u8 ? Number(value !== 0) : value;
        if (to === u8) return Number(read !== 0);
        if (to === i32) return Math.trunc(read);
        return to === bf16 ? roundToBf16(read) : read;
      });
      assert.deepEqual(
        [...device.read(y, length)],
        expected.map((value) => value + 0),
        `${from} to ${to}`,
      );
    }
  }
});

testKernels('fill writes every storage', (device) => {
  const { f32, bf16, i32, u8 } = STORAGE;
  for (const [storage, expected] of [
    [f32, Math.fround(2.7)],
    [bf16, roundToBf16(2.7)],
    [i32, 2],
    [u8, 1],
  ] as const) {
    const y = device.space(20, storage);
    device.kernels.fill({ y, value: 2.7, length: 19 });
    const end = storage === bf16 ? roundToBf16(device.read(y, 20)[19]!) : 77;
    assert.deepEqual([...device.read(y, 20)], [...new Array<number>(19).fill(expected), end]);
  }
});

onNative('plain kernels take tensors that are stored as bf16', () => {
  const x = floats([6, 5]);
  const half = emptyTensor<tf.Rank.R2>([6, 5], 'float32', STORAGE.bf16);
  nativeKernels().convert({ x: bufferOf(x), y: bufferOf(half), length: 30 });
  const rounded = tf.tensor2d(Float32Array.from(x.dataSync(), roundToBf16), [6, 5]);
  assert.deepEqual(half.dataSync(), rounded.dataSync());
  const transposed = tf.transpose(half);
  assert.equal(storageOf(transposed), STORAGE.bf16, 'moves keep the storage');
  assert.deepEqual(transposed.dataSync(), tf.transpose(rounded).dataSync());
  const expressions: ((t: tf.Tensor2D) => tf.Tensor)[] = [
    ...[(t: tf.Tensor2D) => tf.add(t, 1), (t: tf.Tensor2D) => tf.tanh(t), (t: tf.Tensor2D) => tf.sum(t, 0)],
    ...[(t: tf.Tensor2D) => tf.softmax(t), (t: tf.Tensor2D) => tf.concat([t, x as tf.Tensor2D], 1)],
    ...[
      (t: tf.Tensor2D) =>
        tf.pad(t, [
          [1, 1],
          [0, 2],
        ]),
      (t: tf.Tensor2D) => tf.argMax(t, 1),
    ],
    ...[(t: tf.Tensor2D) => tf.gather(t, [2, 0]), (t: tf.Tensor2D) => tf.where(tf.greater(t, 0), t, x)],
    ...[(t: tf.Tensor2D) => tf.matMul(t, x, false, true), (t: tf.Tensor2D) => tf.cast(t, 'int32')],
    ...[(t: tf.Tensor2D) => tf.slice(t, [1, 1], [3, 3]), (t: tf.Tensor2D) => tf.tile(t, [2, 2])],
  ];
  for (const f of expressions) assertClose(f(half).dataSync(), f(rounded).dataSync(), 0, String(f));
  const sum = withF32Buffers([half], (wide) => {
    const y = emptyTensor<tf.Rank.R0>([]);
    nativeKernels().reduce({ op: 'sum', x: wide, y: bufferOf(y), outer: 1, length: 30, inner: 1 });
    return y;
  });
  assert.deepEqual(sum.dataSync(), tf.sum(rounded).dataSync());
});
