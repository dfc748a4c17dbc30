import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDevice } from '../../src/worker/engine/device.js';

test('a GPU asks for the tensorflow backend and hides the others', () => {
  assert.deepEqual(planDevice('cuda:3', 'auto'), { backend: 'tensorflow', visibleGpus: '3' });
  assert.deepEqual(planDevice('cuda:0', 'tensorflow'), { backend: 'tensorflow', visibleGpus: '0' });
});

test('cpu hides every GPU, auto changes nothing', () => {
  assert.deepEqual(planDevice('cpu', 'wasm'), { backend: 'wasm', visibleGpus: '' });
  assert.deepEqual(planDevice('auto', 'wasm'), { backend: 'wasm', visibleGpus: null });
});

test('a backend without GPUs refuses one, and a device that is none is named', () => {
  assert.throws(() => planDevice('cuda:0', 'wasm'), { code: 'DEVICE_UNUSABLE' });
  for (const device of ['cuda', 'cuda:', 'cuda:-1', 'gpu', '']) {
    assert.throws(() => planDevice(device, 'auto'), { code: 'DEVICE_INVALID' }, device);
  }
});
