import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenMicroBatch } from '../../src/api/local/fitting-micro-batch.js';
import { checkLocalDevices, deviceOfWorker } from '../../src/api/local/local-devices.js';

const devicesOf = (wanted: string, backend: string, gpus: number[]): string[] =>
  [0, 1, 2].map((index) => deviceOfWorker(index, wanted, backend, () => gpus));

test('each local worker gets a GPU of its own, and workers beyond them share', () => {
  assert.deepEqual(devicesOf('auto', 'auto', [0, 2]), ['cuda:0', 'cuda:2', 'cuda:0']);
  assert.deepEqual(devicesOf('auto', 'native', [1]), ['cuda:1', 'cuda:1', 'cuda:1']);
});

test('without GPUs, or with a backend that has none, nothing is chosen', () => {
  assert.deepEqual(devicesOf('auto', 'native', []), ['auto', 'auto', 'auto']);
  assert.deepEqual(devicesOf('auto', 'wasm', [0, 1]), ['auto', 'auto', 'auto']);
});

test('devices that are named are given in turn', () => {
  assert.deepEqual(devicesOf('cpu', 'native', [0]), ['cpu', 'cpu', 'cpu']);
  assert.deepEqual(devicesOf('cuda:1, cuda:0', 'auto', [0, 1]), ['cuda:1', 'cuda:0', 'cuda:1']);
});

test('the GPUs are not looked for where none can be chosen', () => {
  const never = (): never => assert.fail('the GPUs were counted');
  assert.equal(deviceOfWorker(0, 'cpu', 'native', never), 'cpu');
  for (const backend of ['wasm', 'cpu', 'tensorflow']) {
    assert.equal(deviceOfWorker(0, 'auto', backend, never), 'auto');
  }
});

test('an automatic micro-batch is a power of two that fits, divides the batch and leaves work for all', () => {
  assert.equal(chosenMicroBatch(300, 4096, 1), 256);
  assert.equal(chosenMicroBatch(300, 4096, 64), 64);
  assert.equal(chosenMicroBatch(300, 96, 1), 32);
  assert.equal(chosenMicroBatch(1, 96, 1), 1);
});

test('devices and backends that no local worker could have are refused before any is started', () => {
  const none = {
    gpus: () => ({ usable: [], problem: 'no NVIDIA driver is loaded' }),
    tensorflow: () => false,
  };
  const check = (devices: string, backend: string, workers = 2): string | null =>
    checkLocalDevices({ devices, backend, workers }, none, 1);
  assert.throws(() => check('cuda:0', 'auto'), {
    code: 'DEVICE_UNUSABLE',
    problem: /no NVIDIA driver is loaded/,
  });
  assert.throws(() => check('cpu,cuda:0', 'native'), { code: 'DEVICE_UNUSABLE' });
  assert.throws(() => check('gpu', 'auto'), { code: 'DEVICE_INVALID' });
  const missing = /npm install @tensorflow\/tfjs-node-gpu/;
  assert.throws(() => check('auto', 'tensorflow'), { code: 'BACKEND_NOT_INSTALLED', remedy: missing });
  // No worker gets the second device.
  assert.equal(check('cpu,cuda:0', 'native', 1), null);
  assert.match(check('auto', 'auto')!, /goes unused: no NVIDIA driver is loaded/);
  assert.equal(check('cpu', 'auto'), null);
});
