import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { RunLock } from '../../src/coordinator/run-lock.js';

function runFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'run');
}

const lockFile = (folder: string): string => join(folder, 'coordinator.lock');

test('a folder is taken once, and free again after the release', (t) => {
  const folder = runFolder(t);
  const lock = RunLock.take(folder);
  assert.throws(() => RunLock.take(folder), /RUN_LOCKED.*process \d+ on /);
  writeFileSync(join(folder, 'config.yaml'), '');
  lock.release();
  RunLock.take(folder).release();
  assert.deepEqual(readdirSync(folder), ['config.yaml']);
});

test('a folder that was made for the lock goes with it, one that was there stays', (t) => {
  const folder = runFolder(t);
  RunLock.take(folder).release();
  assert.equal(existsSync(folder), false);
  mkdirSync(folder);
  RunLock.take(folder).release();
  assert.deepEqual(readdirSync(folder), []);
});

test('the lock of a process that was killed is taken over', async (t) => {
  const folder = runFolder(t);
  const url = new URL('../../src/coordinator/run-lock.js', import.meta.url).href;
  const script = `const { RunLock } = await import(${JSON.stringify(url)}); RunLock.take(${JSON.stringify(folder)});
    console.log('taken'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  assert.throws(() => RunLock.take(folder), new RegExp(`process ${child.pid} `));
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = RunLock.take(folder);
  assert.match(readFileSync(lockFile(folder), 'utf8'), new RegExp(`"pid":${process.pid},`));
  lock.release();
});

test('a process number that was given again to another process holds no lock', (t) => {
  const folder = runFolder(t);
  RunLock.take(folder);
  const owner = JSON.parse(readFileSync(lockFile(folder), 'utf8')) as object;
  writeFileSync(lockFile(folder), JSON.stringify({ ...owner, startedAt: '1' }));
  RunLock.take(folder).release();
});

test('a lock of another machine is believed, one that nobody can read is not', (t) => {
  const folder = runFolder(t);
  mkdirSync(folder);
  writeFileSync(lockFile(folder), JSON.stringify({ host: 'elsewhere', pid: 1, startedAt: '1' }));
  assert.throws(() => RunLock.take(folder), /RUN_LOCKED.*elsewhere.*remove .*coordinator\.lock/);
  writeFileSync(lockFile(folder), '{"host":');
  RunLock.take(folder).release();
});

test('a lock that another has taken over meanwhile is not released', (t) => {
  const folder = runFolder(t);
  const lock = RunLock.take(folder);
  writeFileSync(lockFile(folder), 'of another');
  lock.release();
  assert.equal(readFileSync(lockFile(folder), 'utf8'), 'of another');
});

test('a lock that cannot be read ends the attempt with its path and the reason', (t) => {
  const folder = runFolder(t);
  mkdirSync(lockFile(folder), { recursive: true });
  assert.throws(() => RunLock.take(folder), /RUN_WRITE_FAILED: .*coordinator\.lock.*EISDIR/);
  assert.deepEqual(readdirSync(folder), ['coordinator.lock']);
});

test('a lock that has become unreadable is left when the folder is given back', (t) => {
  const folder = runFolder(t);
  const lock = RunLock.take(folder);
  rmSync(lockFile(folder));
  mkdirSync(lockFile(folder));
  lock.release();
  assert.deepEqual(readdirSync(folder), ['coordinator.lock']);
});
