/** The backend is the one asked for, or the error says what there is. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { startBackend } from '../../src/worker/engine/backend.js';

for (const name of ['wasm', 'cpu'] as const) {
  test(`${name} starts and is active`, async () => {
    assert.equal(await startBackend(name), name);
    assert.equal(tf.getBackend(), name);
  });
}

test('auto is tensorflow where it can be loaded, else wasm', async () => {
  const explicit = await startBackend('tensorflow').catch((thrown: unknown) => {
    assert.ok(thrown instanceof Error);
    assert.match(thrown.message, /^BACKEND_UNAVAILABLE: the backend tensorflow cannot be used here: \S+/);
    assert.match(thrown.message, /wasm, cpu/);
    assert.doesNotMatch(thrown.message, /\n/);
    return 'wasm';
  });
  assert.equal(await startBackend('auto'), explicit);
  assert.equal(tf.getBackend(), explicit);
});

test('an unknown backend is refused with the known ones', async () => {
  await assert.rejects(startBackend('webgpu'), {
    code: 'BACKEND_UNAVAILABLE',
    message: /webgpu cannot be used here.*auto, wasm, cpu, tensorflow/,
  });
  await assert.rejects(startBackend('constructor'), { code: 'BACKEND_UNAVAILABLE' });
});
