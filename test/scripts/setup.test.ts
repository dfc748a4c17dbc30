/** A clone is set up by scripts that run before any package is installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

test('what sets up a clone is loaded without any package', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const isScript = (path: string): boolean => !path.includes('.') || path.endsWith('.mjs');
  cpSync('scripts', join(folder, 'scripts'), { recursive: true });
  cpSync('native', join(folder, 'native'), { recursive: true, filter: isScript });
  // The same imports as scripts/setup.mjs has, which would install and build.
  const imports = ['./scripts/build.mjs', './native/build-cuda.mjs', './native/build-progress.mjs'];
  const code = imports.map((path) => `await import('${path}');`).join(' ');
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
});
