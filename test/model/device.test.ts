import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDevice } from '../../src/worker/engine/device.js';

const NONE = () => ({ usable: [], problem: 'no NVIDIA driver' });
const TWO = () => ({ usable: [0, 2], problem: '' });

test('without GPUs of its own a GPU asks for the tensorflow backend and hides the others', () => {
  const tensorflow = { backend: 'tensorflow', gpu: null };
  assert.deepEqual(planDevice('cuda:3', 'auto', NONE), { ...tensorflow, visibleGpus: '3' });
  assert.deepEqual(planDevice('cuda:0', 'tensorflow', TWO), { ...tensorflow, visibleGpus: '0' });
});

test('the native backend takes the GPU that is asked for, and the first where none is', () => {
  for (const backend of ['auto', 'native']) {
    const native = { backend: 'native', visibleGpus: null };
    assert.deepEqual(planDevice('cuda:2', backend, TWO), { ...native, gpu: 2 });
    assert.deepEqual(planDevice('auto', backend, TWO), { ...native, gpu: 0 });
  }
});

test('cpu hides every GPU, auto without GPUs changes nothing', () => {
  assert.deepEqual(planDevice('cpu', 'native', TWO), { backend: 'native', gpu: null, visibleGpus: '' });
  assert.deepEqual(planDevice('auto', 'wasm', TWO), { backend: 'wasm', gpu: null, visibleGpus: null });
  assert.deepEqual(planDevice('auto', 'native', NONE), { backend: 'native', gpu: null, visibleGpus: null });
});

test('a GPU that is not there is refused with what is, or why there is none', () => {
  const code = 'DEVICE_UNUSABLE';
  assert.throws(() => planDevice('cuda:1', 'native', TWO), { code, message: /usable are cuda:0, cuda:2/ });
  assert.throws(() => planDevice('cuda:0', 'native', NONE), { code, message: /no NVIDIA driver/ });
  assert.throws(() => planDevice('cuda:0', 'wasm', TWO), { code, message: /has no GPUs/ });
});

test('a device that is none is named', () => {
  for (const device of ['cuda', 'cuda:', 'cuda:-1', 'gpu', '']) {
    assert.throws(() => planDevice(device, 'auto', NONE), { code: 'DEVICE_INVALID' }, device);
  }
});

test('the driver is left alone where the native backend takes no GPU: what is hidden from it later would not be', () => {
  const never = (): never => assert.fail('the GPUs were counted');
  for (const backend of ['auto', 'native', 'wasm', 'tensorflow']) {
    assert.equal(planDevice('cpu', backend, never).visibleGpus, '');
  }
  for (const backend of ['wasm', 'tensorflow']) assert.equal(planDevice('auto', backend, never).gpu, null);
  assert.equal(planDevice('cuda:1', 'tensorflow', never).visibleGpus, '1');
});
