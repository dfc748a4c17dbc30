/** A misspelt field of a kernel's object is refused by its name: taken for a missing one, it would change results. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadKernels } from '../../src/kernels/addon.js';
import { STORAGE } from '../../src/kernels/kernel-api/memory.js';
import { kernelTest } from './kernel-settings.js';

const { kernels } = loadKernels();

/** They take nothing, or a handle. */
const WITHOUT_OBJECT = new Set([
  'levels',
  'release',
  'memory',
  'trimMemory',
  'devices',
  'synchronise',
  'gemmLibrary',
  'gemmLibraryCandidates',
  'findGemmLibrary',
  'gemmChoices',
]);

type Binding = (fields: object) => unknown;
const bindings = Object.entries((kernels ?? {}) as unknown as Record<string, Binding>);

for (const [name, call] of bindings.filter(([name]) => !WITHOUT_OBJECT.has(name))) {
  test(`${name} refuses a field that it does not know`, () => {
    assert.throws(() => call({ lenght: 1 }), {
      name: 'TypeError',
      message: /^lenght: no such field, only \w/,
    });
  });
}

kernelTest('a misspelt optional field is refused before anything is computed', (kernels) => {
  const buffer = kernels.allocate({ length: 4, storage: STORAGE.f32 });
  const ones = Float32Array.of(1, 1, 1, 1);
  kernels.write({ buffer, values: ones });
  const misspelt = { x: buffer, y: buffer, length: 4, form: 0, droput: {} } as const;
  assert.throws(() => kernels.geluForward(misspelt), /^TypeError: droput: no such field/);
  const seen = new Float32Array(4);
  kernels.read({ buffer, values: seen });
  assert.deepEqual(seen, ones);
  kernels.release(buffer);
});

kernelTest('a field of a dropout key is refused as well', (kernels) => {
  const buffer = kernels.allocate({ length: 4, storage: STORAGE.f32 });
  const dropout = { dropBelow: 0, kept: 1, key: [1, 2], path: [1, 2, 3], keep: 1 } as const;
  assert.throws(
    () => kernels.dropout({ x: buffer, y: buffer, length: 4, dropout }),
    /^TypeError: keep: no such/,
  );
  kernels.release(buffer);
});

kernelTest('a field that is there and undefined is a missing one', (kernels) => {
  const fields = { length: 4, storage: undefined } as never;
  assert.throws(() => kernels.allocate(fields), /^TypeError: storage: a number is missing/);
});
