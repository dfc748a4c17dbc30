/** Memory on a GPU: copies within it, views, and whose it is. */
import assert from 'node:assert/strict';
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import { contents, held, withBuffers } from './device-arrays.js';
import { floats } from './float-samples.js';
import { onDeviceOnly } from './kernel-settings.js';

onDeviceOnly('ranges are copied on the GPU, and whole buffers cleared', (kernels, device) => {
  const arrays = {
    from: floats(1001, 1, 'normal'),
    to: floats(1001, 2, 'normal'),
    words: new Int32Array(1001),
  };
  withBuffers(kernels, arrays, ({ from, to, words }) => {
    const expected = arrays.to.slice();
    expected.set(arrays.from.subarray(3, 703), 301);
    device.copyRange({ from, fromOffset: 3, to, toOffset: 301, length: 700 });
    assert.deepEqual(contents(kernels, to, expected), expected);
    device.copyRange({ from: to, fromOffset: 0, to, toOffset: 500, length: 500 });
    expected.copyWithin(500, 0, 500);
    assert.deepEqual(contents(kernels, to, expected), expected);
    const copy = (by: object) => () => {
      device.copyRange({ from, fromOffset: 0, to, toOffset: 0, length: 1001, ...by });
    };
    assert.throws(copy({ fromOffset: 1 }), /^TypeError: from: 1001 elements where 1002 are needed/);
    assert.throws(copy({ toOffset: 1 }), /^TypeError: to: 1001 elements where 1002 are needed/);
    assert.throws(copy({ to: words }), /^TypeError: to: .* another type/);
    assert.throws(copy({ to: from, toOffset: 1, length: 1000 }), /^TypeError: to: the ranges overlap/);
    assert.throws(copy({ to: from }), /^TypeError: to: the ranges overlap/);
    device.clear({ buffer: to });
    assert.deepEqual(contents(kernels, to, expected), new Float32Array(1001));
    assert.throws(() => {
      device.clear({ buffer: -1 as DeviceBuffer });
    }, /^TypeError: buffer: /);
  });
});

onDeviceOnly(
  'a view is the same memory of another type, and keeps it from being released',
  (kernels, device) => {
    const before = kernels.memory();
    const buffer = held(kernels, Float32Array.of(1, -0, 2 ** -149));
    const view = device.view({ buffer, storage: STORAGE.i32 });
    const second = device.view({ buffer: view, storage: STORAGE.f32 });
    assert.deepEqual(contents(kernels, view, new Int32Array(3)), Int32Array.of(0x3f800000, -0x80000000, 1));
    for (const storage of [STORAGE.u8, STORAGE.bf16]) {
      assert.throws(() => device.view({ buffer, storage }), /^TypeError: storage: elements of another size/);
    }
    assert.throws(() => device.view({ buffer: -1 as DeviceBuffer, storage: 0 }), /^TypeError: buffer: /);
    const release = (which: DeviceBuffer) => () => {
      kernels.release(which);
    };
    assert.throws(release(buffer), /^TypeError: release: a view of the buffer is in use/);
    kernels.release(view);
    assert.throws(release(buffer), /^TypeError: release: a view of the buffer is in use/);
    assert.throws(release(view), /^TypeError: release: .* released/);
    kernels.release(second);
    kernels.release(buffer);
    assert.equal(kernels.memory().blocksInUse, before.blocksInUse);
  },
);

onDeviceOnly('a view starts where a GPU can load 16 bytes', (kernels, device) => {
  withBuffers(kernels, { buffer: new Float32Array(16).map((_, i) => i) }, ({ buffer }) => {
    const view = device.view({ buffer, offset: 4 });
    assert.deepEqual(contents(kernels, view, new Float32Array(2)), Float32Array.of(4, 5));
    kernels.release(view);
    assert.throws(
      () => device.view({ buffer, offset: 6 }),
      /^TypeError: offset: 6 is no multiple of 16 bytes/,
    );
  });
});

onDeviceOnly('a GPU does not compute on the host’s memory', (kernels) => {
  assert.throws(() => kernels.wrap({ values: new Float32Array(4) }), /^TypeError: values: a GPU does not/);
});
