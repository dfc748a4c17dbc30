import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDevice, planDevice, unusedGpus, type DeviceSurvey } from '../../src/nn/engine/device.js';

const machine = (usable: readonly number[], problem: string, installed = false): DeviceSurvey => ({
  gpus: () => ({ usable, problem }),
  tensorflow: () => installed,
});
const NONE = machine([], 'no NVIDIA driver');
const TENSORFLOW_ONLY = machine([], 'no NVIDIA driver', true);
const TWO = machine([0, 2], '');

test('without GPUs of its own a GPU asks for the tensorflow backend where it is installed, and hides the others', () => {
  const tensorflow = { backend: 'tensorflow', gpu: null };
  assert.deepEqual(planDevice('cuda:3', 'auto', TENSORFLOW_ONLY), { ...tensorflow, visibleGpus: '3' });
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
  for (const backend of ['auto', 'native']) {
    assert.throws(() => planDevice('cuda:0', backend, NONE), {
      code,
      message: /^DEVICE_UNUSABLE: the device cuda:0 cannot be used: no NVIDIA driver /,
    });
  }
  assert.throws(() => planDevice('cuda:0', 'wasm', TWO), { code, message: /has no GPUs/ });
});

test('a device that is none is named', () => {
  for (const device of ['cuda', 'cuda:', 'cuda:-1', 'gpu', '']) {
    assert.throws(() => planDevice(device, 'auto', NONE), { code: 'DEVICE_INVALID' }, device);
  }
});

test('the driver is left alone where the native backend takes no GPU: what is hidden from it later would not be', () => {
  const never: DeviceSurvey = {
    gpus: () => assert.fail('the GPUs were counted'),
    tensorflow: () => true,
  };
  for (const backend of ['auto', 'native', 'wasm', 'tensorflow']) {
    assert.equal(planDevice('cpu', backend, never).visibleGpus, '');
  }
  for (const backend of ['wasm', 'tensorflow']) assert.equal(planDevice('auto', backend, never).gpu, null);
  assert.equal(planDevice('cuda:1', 'tensorflow', never).visibleGpus, '1');
});

test('a device is judged before the backend is known, unless TensorFlow may have it', () => {
  for (const device of ['auto', 'cpu']) checkDevice(device, NONE);
  checkDevice('cuda:2', TWO);
  checkDevice('cuda:0', TENSORFLOW_ONLY);
  assert.throws(() => checkDevice('cuda:0', NONE), { code: 'DEVICE_UNUSABLE', problem: /no NVIDIA driver/ });
  assert.throws(() => checkDevice('cuda:1', TWO), { code: 'DEVICE_UNUSABLE' });
  assert.throws(() => checkDevice('gpu', TENSORFLOW_ONLY), { code: 'DEVICE_INVALID' });
});

test('an unused GPU gives a warning with the reason, unless the user chose the processor', () => {
  assert.match(unusedGpus('auto', 'auto', NONE, 1)!, /an NVIDIA GPU that goes unused: no NVIDIA driver/);
  assert.match(unusedGpus('auto', 'native', NONE, 2)!, /2 NVIDIA GPUs that go unused: no NVIDIA driver/);
  assert.match(unusedGpus('auto', 'wasm', TWO, 2)!, /unused: the backend wasm has no GPUs/);
  assert.equal(unusedGpus('auto', 'auto', NONE, 0), null);
  assert.equal(unusedGpus('auto', 'auto', TWO, 2), null);
  assert.equal(unusedGpus('auto', 'auto', TENSORFLOW_ONLY, 1), null);
  assert.equal(unusedGpus('auto', 'tensorflow', NONE, 1), null);
  assert.equal(unusedGpus('cpu', 'auto', NONE, 1), null);
});
