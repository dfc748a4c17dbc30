import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codedError, plainError, coded } from '../../src/errors/errors.js';
import { exhaustionOf } from '../../src/errors/exhaustion.js';

const system = (code: string, message: string) => Object.assign(new Error(message), { code });

test("what the system has run out of is known by Node's codes", () => {
  const codes = [
    system('EMFILE', "EMFILE: too many open files, open '/data/a.jpg'"),
    system('ENFILE', 'ENFILE: file table overflow'),
    system('ENOSPC', 'ENOSPC: no space left on device, write'),
    system(
      'ERR_WORKER_OUT_OF_MEMORY',
      'Worker terminated due to reaching memory limit: JS heap out of memory',
    ),
    system('ERR_WORKER_INIT_FAILED', 'Worker initialization failure: EAGAIN'),
    system('ERR_WORKER_INIT_FAILED', 'Worker initialization failure: EMFILE'),
    system('EAGAIN', 'spawn /usr/bin/node EAGAIN'),
  ].map(exhaustionOf);
  assert.deepEqual(codes, [
    'OPEN_FILES_EXHAUSTED',
    'OPEN_FILES_EXHAUSTED',
    'DISK_EXHAUSTED',
    'MEMORY_EXHAUSTED',
    'THREADS_EXHAUSTED',
    'OPEN_FILES_EXHAUSTED',
    'THREADS_EXHAUSTED',
  ]);
});

test('and by the words of libraries that have no codes', () => {
  const of = (text: string) => exhaustionOf(new Error(text));
  assert.equal(of('Array buffer allocation failed'), 'MEMORY_EXHAUSTED');
  assert.equal(of('std::bad_alloc'), 'MEMORY_EXHAUSTED');
  assert.equal(of('WebAssembly.Memory(): could not allocate memory'), 'MEMORY_EXHAUSTED');
  assert.equal(of('Too many open files'), 'OPEN_FILES_EXHAUSTED');
  assert.equal(of('Resource temporarily unavailable'), 'THREADS_EXHAUSTED');
  // What `new Worker` throws where no thread can be started.
  assert.equal(of('EAGAIN'), 'THREADS_EXHAUSTED');
});

test('other failures are none: a busy socket, a GPU without memory, a defect', () => {
  assert.equal(exhaustionOf(system('EAGAIN', 'EAGAIN: read')), null);
  const gpu = coded('DEVICE_TOO_SMALL', { device: 'cuda:0', reason: 'out of memory' });
  assert.equal(exhaustionOf(gpu), null);
  assert.equal(exhaustionOf(new TypeError('x is undefined')), null);
  assert.equal(plainError(new TypeError('x is undefined')).code, 'INTERNAL');
});

test('a coded error stays what it is, also where its reason is that something has run out', () => {
  const reason = "EMFILE: too many open files, open '/data/a.jpg'";
  const error = coded('DATA_UNREADABLE', { path: '/data/a.jpg', reason });
  assert.equal(codedError(error), error);
  assert.equal(exhaustionOf(error), 'OPEN_FILES_EXHAUSTED');
  assert.equal(plainError(system('EMFILE', reason)).code, 'OPEN_FILES_EXHAUSTED');
});
