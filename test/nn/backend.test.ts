/** The backend is the one asked for, or the error says what there is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { startBackend } from '../../src/nn/backend/backend.js';
import { loadKernels } from '../../src/kernels/addon.js';

const native = loadKernels();

for (const name of ['wasm', 'cpu', 'native'] as const) {
  const skip = name === 'native' && native.kernels === undefined ? native.reason : false;
  test(`${name} starts and is active`, { skip }, async () => {
    assert.equal(await startBackend(name), name);
    assert.equal(tf.getBackend(), name);
  });
}

test('auto is tensorflow where it can be loaded, else native where it is built, else wasm', async () => {
  const explicit = await startBackend('tensorflow').catch((thrown: unknown) => {
    assert.ok(thrown instanceof Error);
    assert.match(thrown.message, /^BACKEND_NOT_INSTALLED: .*`npm install @tensorflow\/tfjs-node-gpu`/);
    assert.doesNotMatch(thrown.message, /\n/);
    return loadKernels().kernels === undefined ? 'wasm' : 'native';
  });
  assert.equal(await startBackend('auto'), explicit);
  assert.equal(tf.getBackend(), explicit);
});

test('native without its kernels is refused with the reason', () => {
  // The kernels are loaded once in a process: another one, whose binary is missing.
  const script = `import('./dist/src/nn/backend/backend.js').then((m) => m.startBackend('native')).catch((e) => console.log(e.message))`;
  const env = { ...process.env, VITRAIL_NATIVE: '/nowhere/vitrail.node' };
  const { stdout } = spawnSync(process.execPath, ['-e', script], { env, encoding: 'utf8' });
  assert.match(stdout, /^BACKEND_UNAVAILABLE: the backend native cannot be used here: .*not built/);
});

test('an unknown backend is refused with the known ones', async () => {
  await assert.rejects(startBackend('webgpu'), {
    code: 'BACKEND_UNAVAILABLE',
    message: /webgpu cannot be used here.*auto, native, wasm, cpu, tensorflow/,
  });
  await assert.rejects(startBackend('constructor'), { code: 'BACKEND_UNAVAILABLE' });
});
