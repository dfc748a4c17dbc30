/** TensorFlow's package counts as installed only with its compiled part. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tensorflowInstalled, TENSORFLOW_PACKAGE } from '../../src/nn/backend/tensorflow-package.js';

test('a package that was installed without its install script is not taken for an installed one', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-tensorflow-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const from = join(folder, 'program.js');
  assert.equal(tensorflowInstalled(from), false);

  const root = join(folder, 'node_modules', TENSORFLOW_PACKAGE);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(join(root, 'package.json'), JSON.stringify({ main: 'dist/index.js' }));
  writeFileSync(join(root, 'dist/index.js'), '');
  assert.equal(tensorflowInstalled(from), false);

  mkdirSync(join(root, 'lib/napi-v8'), { recursive: true });
  writeFileSync(join(root, 'lib/napi-v8/tfjs_binding.node'), '');
  assert.equal(tensorflowInstalled(from), true);
});
