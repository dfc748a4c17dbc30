/** Buffers of the native kernels, their settings, and their use by several threads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { STORAGE, type DeviceBuffer, type HostArray } from '../../src/kernels/kernel-api/memory.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';
import { bitsOf } from './float-samples.js';
import { kernelTest, onProcessorOnly } from './kernel-settings.js';
import { laboured, type ThreadReport, type ThreadTask } from './kernel-thread.js';

const EXAMPLES: Readonly<Record<keyof typeof STORAGE, HostArray>> = {
  f32: Float32Array.of(1.5, NaN, -0, Infinity, 2 ** -149),
  bf16: Uint16Array.of(0x3fc0, 0x7fc0, 0x8000, 0x7f80, 1),
  i32: Int32Array.of(1, -1, 2147483647, -2147483648, 0),
  u8: Uint8Array.of(0, 1, 127, 128, 255),
};

const NOTHING_DROPPED = { dropBelow: 0, kept: 1, key: [0, 0], path: [0, 0, 0] } as const;

/** Calls of a kernel that does nothing to `length` elements, if it may. */
function touch(kernels: Kernels, buffer: DeviceBuffer, length: number): void {
  kernels.dropout({ x: buffer, y: buffer, length, dropout: NOTHING_DROPPED });
}

kernelTest('a buffer gives back what was written to it, in every storage', (kernels) => {
  for (const [name, values] of Object.entries(EXAMPLES)) {
    const storage = STORAGE[name as keyof typeof STORAGE];
    const buffer = kernels.allocate({ length: values.length + 2, storage });
    kernels.write({ buffer, values });
    const back = values.slice().fill(7);
    kernels.read({ buffer, values: back });
    assert.deepEqual(back, values, name);
    kernels.read({ buffer, values: values.slice(0, 0) });
    assert.throws(() => {
      kernels.read({ buffer, values: new Float64Array(2) as never });
    }, /^TypeError: values: a typed array of another type/);
    for (const copy of ['read', 'write'] as const) {
      const long = values.slice();
      const short = kernels.allocate({ length: values.length - 1, storage });
      assert.throws(() => {
        kernels[copy]({ buffer: short, values: long });
      }, /^TypeError: values: longer than the buffer/);
      kernels.release(short);
    }
    kernels.release(buffer);
  }
});

kernelTest('a released buffer is refused, also when its place is taken again', (kernels) => {
  const f32 = STORAGE.f32;
  const first = kernels.allocate({ length: 4, storage: f32 });
  touch(kernels, first, 4);
  kernels.release(first);
  const refusal = new RegExp(`^TypeError: x: ${first}\\.0* is no buffer, or a released one`);
  assert.throws(() => {
    touch(kernels, first, 4);
  }, refusal);
  const second = kernels.allocate({ length: 4, storage: f32 });
  assert.notEqual(second, first);
  assert.throws(() => {
    touch(kernels, first, 4);
  }, refusal);
  assert.throws(() => {
    kernels.release(first);
  }, /^TypeError: release: .* is no buffer, or a released one/);
  touch(kernels, second, 4);
  kernels.release(second);
});

kernelTest('what is no buffer is refused', (kernels) => {
  for (const no of [-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e300, 2 ** 24 - 1]) {
    assert.throws(() => {
      touch(kernels, no as DeviceBuffer, 0);
    }, /^TypeError: x: .* is no buffer/);
    assert.throws(() => {
      kernels.release(no as DeviceBuffer);
    }, /^TypeError: release: /);
  }
  for (const no of [undefined, null, 'x', {}, 1n]) {
    assert.throws(() => {
      touch(kernels, no as never, 0);
    }, /^TypeError: x: a number is missing/);
    assert.throws(() => {
      kernels.release(no as never);
    }, /^TypeError: release: a number is missing/);
  }
  for (const no of [undefined, 5, 'x', null]) {
    assert.throws(() => {
      touchNothing(kernels, no);
    }, /^TypeError: a kernel takes one object/);
  }
});

function touchNothing(kernels: Kernels, argument: unknown): void {
  kernels.dropout(argument as never);
}

onProcessorOnly('a wrapped array is the same memory, shared or not', (kernels) => {
  const shared = new SharedArrayBuffer(64);
  for (const values of [
    ...[new Float32Array(shared, 8, 5), new Float32Array(5), new Float32Array(new ArrayBuffer(64), 12, 5)],
    ...[new Int32Array(shared, 36, 5), new Int32Array(5)],
  ]) {
    const buffer = kernels.wrap({ values });
    const written = values.map((_, i) => 10 + i);
    kernels.write({ buffer, values: written });
    assert.deepEqual(values, written);
    values[3] = -7;
    const back = values.slice().fill(0);
    kernels.read({ buffer, values: back });
    assert.equal(back[3], -7);
    kernels.release(buffer);
    assert.equal(values[3], -7, 'the array outlives its buffer');
  }
  assert.throws(() => kernels.wrap({ values: new Float64Array(2) as never }), /^TypeError: values: /);
  assert.throws(() => kernels.wrap({ values: [1, 2] as never }), /^TypeError: values: /);
  assert.throws(() => kernels.wrap({} as never), /^TypeError: values: /);
});

onProcessorOnly('a wrapped array whose memory was transferred away has no elements left', (kernels) => {
  const values = new Float32Array(1024);
  const buffer = kernels.wrap({ values });
  touch(kernels, buffer, 1024);
  structuredClone(values.buffer, { transfer: [values.buffer] });
  assert.throws(() => {
    touch(kernels, buffer, 1);
  }, /^TypeError: x: 0 elements where 1 are needed/);
  kernels.release(buffer);
});

onProcessorOnly('statistics go up and down, and memory is kept until it is trimmed', (kernels) => {
  kernels.trimMemory();
  const before = kernels.memory();
  assert.ok(before.peakBytesTaken >= before.bytesInUse);
  const length = 1_000_000;
  const buffers = [1, 2].map(() => kernels.allocate({ length, storage: STORAGE.f32 }));
  const wrapped = kernels.wrap({ values: new Float32Array(10) });
  const during = kernels.memory();
  assert.equal(during.bytesInUse - before.bytesInUse, 8 * length, 'wrapped memory is not the allocator’s');
  assert.equal(during.blocksInUse - before.blocksInUse, 2);
  assert.ok(during.bytesReserved - before.bytesReserved >= 8 * length);
  for (const buffer of [...buffers, wrapped]) kernels.release(buffer);
  const after = kernels.memory();
  assert.equal(after.bytesInUse, before.bytesInUse);
  assert.equal(after.blocksInUse, before.blocksInUse);
  assert.equal(after.bytesReserved, during.bytesReserved);
  // 4,000,000 bytes take the next of four sizes to a power of two.
  assert.equal(after.peakBytesTaken - before.peakBytesTaken, 2 * 2 ** 22);

  const again = kernels.allocate({ length: length - 1, storage: STORAGE.i32 });
  assert.equal(kernels.memory().bytesReserved, during.bytesReserved, 'a kept block is used again');
  kernels.release(again);
  kernels.trimMemory();
  assert.equal(kernels.memory().bytesReserved, before.bytesReserved);
  assert.equal(kernels.memory().peakBytesTaken, before.peakBytesTaken);
});

onProcessorOnly('ten thousand buffers in and out leave nothing behind', (kernels) => {
  const before = kernels.memory();
  for (let i = 0; i < 10_000; i++) {
    kernels.release(kernels.allocate({ length: i % 257, storage: STORAGE.bf16 }));
    kernels.release(kernels.wrap({ values: new Float32Array(1) }));
  }
  const { bytesInUse, blocksInUse } = kernels.memory();
  assert.deepEqual(
    { bytesInUse, blocksInUse },
    { bytesInUse: before.bytesInUse, blocksInUse: before.blocksInUse },
  );
});

kernelTest('sizes that cannot be are refused, and so is more memory than there is', (kernels) => {
  const storage = STORAGE.f32;
  for (const length of [-1, 0.5, NaN, Infinity, 2 ** 41]) {
    assert.throws(() => kernels.allocate({ length, storage }), /^TypeError: length: /);
  }
  for (const no of [-1, 4, 0.5]) {
    assert.throws(() => kernels.allocate({ length: 1, storage: no as never }), /^TypeError: storage: /);
  }
  // Linux can be set to promise any amount.
  if (overcommitted()) return;
  kernels.trimMemory();
  const before = kernels.memory();
  assert.throws(() => kernels.allocate({ length: 2 ** 40, storage }), /^RangeError: out of memory: /);
  assert.deepEqual(kernels.memory(), before);
});

function overcommitted(): boolean {
  const setting = '/proc/sys/vm/overcommit_memory';
  return existsSync(setting) && readFileSync(setting, 'utf8').startsWith('1');
}

onProcessorOnly('level and threads are set as asked for, and others are refused', (kernels) => {
  const before = kernels.configure({});
  const levels = kernels.levels();
  assert.ok(levels.length > 0);
  assert.ok(levels.includes(before.level));
  for (const level of levels)
    assert.deepEqual(kernels.configure({ level, threads: 3 }), { level, threads: 3 });
  assert.throws(() => kernels.configure({ level: 'avx9' }), /^TypeError: level: avx9 is not usable here/);
  for (const threads of [0, -1, 1.5, 1025, NaN]) {
    assert.throws(() => kernels.configure({ threads }), /^TypeError: threads: /);
  }
  assert.deepEqual(kernels.configure({}), { level: levels.at(-1), threads: 3 });
  assert.deepEqual(kernels.configure(before), before);
});

onProcessorOnly(
  'two threads of a process use the kernels at a time, each with its own buffers',
  async (kernels) => {
    const tasks: ThreadTask[] = [1, 2].map((seed) => ({ seed, threads: 2 }));
    const script = new URL('kernel-thread.js', import.meta.url);
    const mine = kernels.wrap({ values: Float32Array.of(1, 2, 3) });
    const before = kernels.memory();
    const workers = tasks.map((workerData) => new Worker(script, { workerData }));
    const ends = workers.map((worker) => once(worker, 'exit'));
    const messages = workers.map(async (worker) => (await once(worker, 'message')) as [ThreadReport]);
    const expected = tasks.map(({ seed }) => laboured(kernels, seed));
    const reports = (await Promise.all(messages)).map(([report]) => report);
    assert.deepEqual(
      (await Promise.all(ends)).map(([code]) => code as number),
      [0, 0],
    );
    reports.forEach(({ sums, blocksInUse, bits }, i) => {
      assert.deepEqual(sums, expected[i]);
      assert.equal(blocksInUse, 0);
      assert.deepEqual(bits, bitsOf(Float32Array.of(tasks[i]!.seed, -0, NaN)));
    });
    assert.equal(kernels.memory().blocksInUse, before.blocksInUse);
    touch(kernels, mine, 3);
    kernels.release(mine);
  },
);
