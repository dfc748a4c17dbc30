/** The kernels' threads where the system's limit lets fewer start than are asked for. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

const ADDON = resolve('native/build/vitrail.node');
/** Limits count the threads of a user, and do not hold for root: the process is that of a user with no other. */
const NOBODY = '45678';
/** Node has 11 threads of its own. */
const LIMIT = '14';

test('with a limit of threads the kernels go on with those that could be started', (t) => {
  const tools = ['prlimit', 'setpriv'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  if (process.getuid?.() !== 0 || !tools || !existsSync(ADDON)) {
    t.skip('it needs root, prlimit, setpriv and the native kernels');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const addon = join(folder, 'kernels.node');
  copyFileSync(ADDON, addon);
  const script = `console.log(require(${JSON.stringify(addon)}).configure({ threads: 64 }).threads)`;
  const asUser = ['setpriv', '--reuid', NOBODY, '--regid', NOBODY, '--clear-groups'];
  const run = spawnSync('prlimit', [`--nproc=${LIMIT}`, ...asUser, process.execPath, '-e', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  if (/EACCES|Permission denied/.test(run.stderr)) {
    t.skip('another user may not run this Node');
    return;
  }
  assert.equal(run.status, 0, run.stderr);
  const threads = Number(run.stdout);
  assert.ok(threads >= 1 && threads < 14, run.stdout);
});
