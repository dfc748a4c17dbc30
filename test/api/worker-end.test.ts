import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerEnd } from '../../src/api/local/worker-end.js';

const FAILED = { code: 1, signal: null };

test('a worker that wrote nothing telling is known by its exit', () => {
  assert.equal(workerEnd(FAILED, ''), 'it exited with code 1');
  assert.equal(workerEnd({ code: null, signal: 'SIGKILL' }, '{"msg":"joined"}\n'), 'it was ended by SIGKILL');
});

test('the last coded error that a worker wrote says why it ended', () => {
  const log =
    '{"msg":"joined"}\nerror A_FIRST: x\n      do\nerror DEVICE_UNUSABLE: cuda:0: no driver\n      try cpu\n';
  assert.equal(workerEnd(FAILED, log), 'it exited with code 1: DEVICE_UNUSABLE: cuda:0: no driver');
});

test('a heap that is full is named, since V8 ends the process before it can say so itself', () => {
  // What Node 20 writes.
  const log = [
    '<--- Last few GCs --->',
    '[9:0x1] 812 ms: Mark-Compact 23.9 (41.2) -> 23.8 (41.4) MB, 9.18 / 0.00 ms allocation failure',
    'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
    '----- Native stack trace -----',
  ].join('\n');
  assert.equal(
    workerEnd({ code: null, signal: 'SIGABRT' }, log),
    'it was ended by SIGABRT: Reached heap limit Allocation failed - JavaScript heap out of memory (raise NODE_OPTIONS=--max-old-space-size=MB, or use a smaller --micro-batch)',
  );
});

test('an abort of a library says what it had run out of', () => {
  const log = "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n";
  assert.equal(
    workerEnd({ code: null, signal: 'SIGABRT' }, log),
    'it was ended by SIGABRT: what():  std::bad_alloc',
  );
  const node = '  #  Assertion failed: (0) == (uv_thread_create(t.get(), start_thread, this))\n';
  assert.equal(workerEnd({ code: null, signal: 'SIGABRT' }, node), `it was ended by SIGABRT: ${node.trim()}`);
  const zmq = 'Too many open files (src/epoll.cpp:65)\n';
  assert.equal(workerEnd({ code: null, signal: 'SIGABRT' }, zmq), `it was ended by SIGABRT: ${zmq.trim()}`);
});
