/** Copies between the host and a GPU that Node does not wait for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { STORAGE, type HostArray } from '../../src/kernels/kernel-api/memory.js';
import { loadKernels } from '../../src/kernels/addon.js';
import type { GpuKernels, Kernels } from '../../src/kernels/kernel-api.js';
import type { CopyTask } from './copying-thread.js';
import { held } from './device-arrays.js';
import { bitsOf, floats } from './float-samples.js';
import { gpuKernels, onDeviceOnly } from './kernel-settings.js';

const shared = (length: number) => new Float32Array(new SharedArrayBuffer(4 * length));

/** Registers the array for the time of `body`. */
async function registered<A extends HostArray>(
  device: GpuKernels,
  array: A,
  body: (array: A) => Promise<void>,
): Promise<void> {
  device.registerHost({ array });
  try {
    await body(array);
  } finally {
    device.unregisterHost({ array });
  }
}

onDeviceOnly('a range is read back and written in any storage', async (kernels, device) => {
  const examples = [
    ['f32', new Float32Array(new SharedArrayBuffer(44)), Float32Array.of(1.5, NaN, -0, 2 ** -149, 7)],
    ['bf16', new Uint16Array(new SharedArrayBuffer(22)), Uint16Array.of(0x3fc0, 0x7fc0, 1, 2, 3)],
    ['i32', new Int32Array(new SharedArrayBuffer(44)), Int32Array.of(1, -1, 2147483647, -2147483648, 9)],
    ['u8', new Uint8Array(new SharedArrayBuffer(11)), Uint8Array.of(0, 1, 127, 128, 255)],
  ] as const;
  for (const [name, memory, values] of examples) {
    await registered<HostArray>(device, memory, async (array) => {
      const buffer = kernels.allocate({ length: 5, storage: STORAGE[name] });
      kernels.write({ buffer, values });
      await device.readRange({ buffer, offset: 1, length: 4, values: array, valuesOffset: 7 });
      assert.deepEqual(array.slice(7), values.slice(1), name);
      assert.deepEqual([...array.slice(0, 7)], [0, 0, 0, 0, 0, 0, 0]);
      array.set(values.slice(0, 2), 3);
      await device.writeRange({ buffer, offset: 3, length: 2, values: array, valuesOffset: 3 });
      const back = values.slice().fill(0);
      kernels.read({ buffer, values: back });
      assert.deepEqual([...back], [...values.slice(0, 3), ...values.slice(0, 2)], name);
      kernels.release(buffer);
    });
  }
});

onDeviceOnly('a hundred copies under way at a time all arrive', async (kernels, device) => {
  const length = 10_007;
  const [there, back] = [shared(100 * length), shared(100 * length)];
  there.set(floats(100 * length, 3, 'any'));
  device.registerHost({ array: there });
  device.registerHost({ array: back });
  const buffer = kernels.allocate({ length: 100 * length, storage: STORAGE.f32 });
  const parts = Array.from({ length: 100 }, (_, i) => ({
    buffer,
    offset: i * length,
    valuesOffset: i * length,
    length,
  }));
  await Promise.all(parts.map((part) => device.writeRange({ ...part, values: there })));
  const order: number[] = [];
  await Promise.all(
    parts.map(async (part, i) => {
      await device.readRange({ ...part, values: back });
      order.push(i);
    }),
  );
  assert.deepEqual(order, [...order.keys()], 'in the order in which they were asked for');
  assert.deepEqual(bitsOf(back), bitsOf(there));
  device.unregisterHost({ array: there });
  device.unregisterHost({ array: back });
  kernels.release(buffer);
});

onDeviceOnly(
  'the promise of a copy comes after the call, and after kernels that were called before',
  async (kernels, device) => {
    await registered(device, shared(1000), async (array) => {
      const buffer = kernels.allocate({ length: 1000, storage: STORAGE.f32 });
      kernels.write({ buffer, values: new Float32Array(1000).fill(1) });
      device.averageUpdate({ average: buffer, weights: buffer, offset: 0, length: 1000, decay: 3 });
      let settled = false;
      const copy = device.readRange({ buffer, offset: 0, length: 1000, values: array, valuesOffset: 0 });
      const noted = copy.then(() => (settled = true));
      assert.equal(settled, false);
      await noted;
      assert.deepEqual(array, shared(1000).fill(1));
      kernels.release(buffer);
    });
  },
);

onDeviceOnly(
  'a buffer released during a copy is not used again before the copy is done',
  async (kernels, device) => {
    const length = 1 << 21;
    await registered(device, shared(length), async (array) => {
      for (let round = 1; round <= 5; round++) {
        const buffer = held(kernels, new Float32Array(length).fill(round));
        const copy = device.readRange({ buffer, offset: 0, length, values: array, valuesOffset: 0 });
        kernels.release(buffer);
        const next = kernels.allocate({ length, storage: STORAGE.f32 });
        device.clear({ buffer: next });
        await copy;
        assert.ok(array.every((value) => value === round));
        kernels.release(next);
      }
    });
  },
);

onDeviceOnly('memory that is unregistered during copies has been copied', async (kernels, device) => {
  const array = shared(1 << 20);
  const buffers = Array.from({ length: 20 }, (_, i) => held(kernels, new Float32Array(array.length).fill(i)));
  device.registerHost({ array });
  const whole = { offset: 0, length: array.length, values: array, valuesOffset: 0 };
  const copies = buffers.map((buffer) => device.readRange({ buffer, ...whole }));
  device.unregisterHost({ array });
  assert.ok(array.every((value) => value === 19));
  await Promise.all(copies);
  for (const buffer of buffers) kernels.release(buffer);
});

onDeviceOnly('an empty copy needs no registered memory', async (kernels, device) => {
  const buffer = kernels.allocate({ length: 0, storage: STORAGE.f32 });
  const nothing = { buffer, offset: 0, length: 0, values: new Float32Array(0), valuesOffset: 0 };
  await device.readRange(nothing);
  await device.writeRange(nothing);
  device.clear({ buffer });
  device.copyRange({ from: buffer, fromOffset: 0, to: buffer, toOffset: 0, length: 0 });
  kernels.release(buffer);
});

onDeviceOnly(
  'a copy that would leave its arrays is refused, by the name of the field',
  async (kernels, device) => {
    const buffer = kernels.allocate({ length: 8, storage: STORAGE.f32 });
    const memory = shared(12);
    await registered(device, memory.subarray(0, 10), async (array) => {
      const good = { buffer, offset: 0, length: 8, values: array as HostArray, valuesOffset: 0 };
      const refused = (by: object, message: RegExp) => {
        for (const copy of ['readRange', 'writeRange'] as const) {
          assert.throws(() => device[copy]({ ...good, ...by }), message);
        }
      };
      refused({ offset: 1 }, /^TypeError: buffer: 8 elements where 9 are needed/);
      refused({ valuesOffset: 3 }, /^TypeError: values: 10 elements where 11 are needed/);
      refused({ values: memory, valuesOffset: 3 }, /^TypeError: values: not registered/);
      refused({ values: shared(8) }, /^TypeError: values: not registered/);
      refused({ values: new Float32Array(8) }, /^TypeError: values: not registered/);
      refused({ values: new Int32Array(memory.buffer) }, /^TypeError: values: a typed array of another type/);
      refused({ values: [1, 2] }, /^TypeError: values: a typed array is missing/);
      for (const wrong of [-1, 0.5, NaN, 2 ** 53, undefined]) {
        refused({ offset: wrong }, /^TypeError: offset: /);
        refused({ valuesOffset: wrong }, /^TypeError: valuesOffset: /);
        refused({ length: wrong }, /^TypeError: length: /);
      }
      await device.readRange({ ...good, values: memory, valuesOffset: 2 });
    });
    kernels.release(buffer);
    await registered(device, shared(8), (values) => {
      assert.throws(
        () => device.readRange({ buffer, offset: 0, length: 8, values, valuesOffset: 0 }),
        /^TypeError: buffer: /,
      );
      return Promise.resolve();
    });
  },
);

onDeviceOnly('memory is registered once, if no other thread can take it away', (_, device) => {
  const array = shared(16);
  const refused = (call: () => void, message: RegExp) => {
    assert.throws(call, message);
  };
  refused(() => {
    device.registerHost({ array: new Float32Array(4) });
  }, /^TypeError: array: not on a SharedArrayBuffer/);
  refused(() => {
    device.registerHost({ array: shared(0) });
  }, /^TypeError: array: without elements/);
  for (const no of [undefined, 5, [1], new ArrayBuffer(4)]) {
    refused(() => {
      device.registerHost({ array: no as never });
    }, /^TypeError: array: a typed array is missing/);
  }
  device.registerHost({ array: array.subarray(0, 8) });
  refused(() => {
    device.registerHost({ array: array.subarray(4, 12) });
  }, /^TypeError: array: registered already/);
  refused(() => {
    device.unregisterHost({ array });
  }, /^TypeError: array: not registered/);
  device.registerHost({ array: new Float64Array(array.buffer, 32) });
  device.unregisterHost({ array: array.subarray(0, 8) });
  refused(() => {
    device.unregisterHost({ array: array.subarray(0, 8) });
  }, /^TypeError: array: not registered/);
  device.unregisterHost({ array: array.subarray(8) });
});

/** What the thread said, and how it ended. */
async function threadThat(does: CopyTask['does']): Promise<{ messages: unknown[]; code: number }> {
  const workerData: CopyTask = { does };
  const worker = new Worker(new URL('copying-thread.js', import.meta.url), { workerData });
  const messages: unknown[] = [];
  worker.on('message', (message) => messages.push(message));
  const [code] = (await once(worker, 'exit')) as [number];
  return { messages, code };
}

onDeviceOnly('a thread with nothing else to do stays until its copies are done', async () => {
  assert.deepEqual(await threadThat('waits'), { messages: ['copied'], code: 0 });
});

onDeviceOnly('a thread that ends with copies under way waits for them, and nothing breaks', async () => {
  assert.deepEqual(await threadThat('leaves'), { messages: [], code: 0 });
});

/** A test of faults, which only the emulator has to order. */
function onEmulatorOnly(name: string, run: (kernels: Kernels, device: GpuKernels) => Promise<void>): void {
  const { kernels } = loadKernels();
  const device = kernels === undefined ? undefined : gpuKernels(kernels);
  if (kernels === undefined || device === undefined || kernels.levels()[0] !== 'emulated') {
    test(name, { skip: 'faults are made on the emulator' });
  } else test(name, () => run(kernels, device));
}

onEmulatorOnly(
  'a copy that the GPU fails to do rejects its promise, and the next one is done',
  async (kernels, device) => {
    await registered(device, shared(8), async (values) => {
      const buffer = held(kernels, new Float32Array(8).fill(3));
      const copy = { buffer, offset: 0, length: 8, values, valuesOffset: 0 };
      for (const fault of ['start', 'finish']) {
        process.env['VITRAIL_EMULATED_FAULT'] = fault;
        const failing = [device.readRange(copy), device.writeRange(copy)];
        delete process.env['VITRAIL_EMULATED_FAULT'];
        await Promise.all(failing.map((promise) => assert.rejects(promise, /^Error: emulated fault/)));
      }
      await device.readRange(copy);
      assert.deepEqual([...values], [3, 3, 3, 3, 3, 3, 3, 3]);
      kernels.release(buffer);
    });
  },
);
