import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDiskFull, whenThereIsSpace } from '../../src/host/disk-space.js';
import { writeError } from '../../src/run/checkpoint/checkpoint-errors.js';
import { DrivenTime } from '../simulation/driven-time.js';

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
  const time = new DrivenTime();
  const wait = {
    clock: time.clock,
    onFull: (path: string) => told.push(path),
    interrupted: () => false,
    check: async () => Promise.resolve(),
  };
  assert.equal(await time.during(whenThereIsSpace('/p', work, wait)), 'done');
  assert.deepEqual([times, told, time.nowMs], [3, ['/p'], 1000]);
});

test('it waits ten minutes and no longer', async () => {
  const time = new DrivenTime();
  const wait = {
    clock: time.clock,
    onFull: () => undefined,
    interrupted: () => false,
    check: async () => Promise.resolve(),
  };
  const work = async (): Promise<never> => Promise.reject(systemError('ENOSPC'));
  await assert.rejects(time.during(whenThereIsSpace('/p', work, wait)), { code: 'ENOSPC' });
  assert.equal(time.nowMs, 600_500);
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
  const wait = { clock: new DrivenTime().clock, onFull: () => undefined, interrupted: () => false, check };
  await assert.rejects(whenThereIsSpace('/p', work, wait), /taken over/);
  await assert.rejects(whenThereIsSpace('/p', work, wait), /taken over/);
  assert.equal(times, 1);
});

test('other failures, and a person who asks for it, end the wait', async () => {
  const wait = {
    clock: new DrivenTime().clock,
    onFull: () => undefined,
    interrupted: () => true,
    check: async () => Promise.resolve(),
  };
  for (const code of ['EACCES', 'ENOSPC']) {
    const work = async (): Promise<never> => Promise.reject(systemError(code));
    await assert.rejects(whenThereIsSpace('/p', work, wait), { code });
  }
});
