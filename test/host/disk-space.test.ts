import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/host/clock.js';
import { isDiskFull, whenThereIsSpace } from '../../src/host/disk-space.js';
import { writeError } from '../../src/run/checkpoint/checkpoint-errors.js';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: no`), { code });
}

test('a full disk and a full quota are told from other failures, also behind a coded error', () => {
  assert.ok(isDiskFull(systemError('ENOSPC')) && isDiskFull(systemError('EDQUOT')));
  assert.ok(isDiskFull(writeError('/p', systemError('ENOSPC'))));
  assert.ok(!isDiskFull(writeError('/p', systemError('EACCES'))));
  assert.ok(!isDiskFull('ENOSPC') && !isDiskFull(new Error('ENOSPC')));
});

test('a write waits until there is space, and says so once', async () => {
  let times = 0;
  const told: string[] = [];
  const work = async (): Promise<string> => {
    if (++times < 3) throw systemError('ENOSPC');
    return Promise.resolve('done');
  };
  const wait = {
    clock: systemClock,
    onFull: (path: string) => told.push(path),
    interrupted: () => false,
    check: async () => Promise.resolve(),
  };
  assert.equal(await whenThereIsSpace('/p', work, wait), 'done');
  assert.deepEqual([times, told], [3, ['/p']]);
});

test('nothing is written to a folder that has another owner by now, also not after a wait', async () => {
  let times = 0;
  const check = async (): Promise<void> => {
    if (times > 0) return Promise.reject(new Error('taken over'));
    return Promise.resolve();
  };
  const work = async (): Promise<never> => {
    times++;
    return Promise.reject(systemError('ENOSPC'));
  };
  const wait = { clock: systemClock, onFull: () => undefined, interrupted: () => false, check };
  await assert.rejects(whenThereIsSpace('/p', work, wait), /taken over/);
  await assert.rejects(whenThereIsSpace('/p', work, wait), /taken over/);
  assert.equal(times, 1);
});

test('other failures, and a person who asks for it, end the wait', async () => {
  const wait = {
    clock: systemClock,
    onFull: () => undefined,
    interrupted: () => true,
    check: async () => Promise.resolve(),
  };
  for (const code of ['EACCES', 'ENOSPC']) {
    const work = async (): Promise<never> => Promise.reject(systemError(code));
    await assert.rejects(whenThereIsSpace('/p', work, wait), { code });
  }
});
