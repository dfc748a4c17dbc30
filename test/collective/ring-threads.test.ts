import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { fillSum, integers } from './ring-fixture.js';
import type { Place, Result } from './ring-member.js';

const MEMBER = new URL('./ring-member.js', import.meta.url);
const LENGTH = 2_000_000;

interface Member {
  readonly source: EventEmitter;
  readonly send: (message: Place | 'commit') => void;
}

function thread(): Member {
  const worker = new Worker(MEMBER);
  return { source: worker, send: (message) => worker.postMessage(message) };
}

function child(): Member {
  const process = fork(fileURLToPath(MEMBER), { serialization: 'advanced' });
  return { source: process, send: (message) => process.send(message) };
}

/** Runs an all-reduce over `members`, which have to end by themselves with exit code 0. */
async function reduceOver(members: readonly Member[]): Promise<Result[]> {
  const exits = members.map(({ source }) => once(source, 'exit'));
  const first = await Promise.all(members.map(({ source }) => once(source, 'message')));
  const endpoints = first.map(([endpoint]) => String(endpoint));
  const results = members.map(({ source }) => once(source, 'message'));
  members.forEach(({ send }, rank) => {
    const nextEndpoint = endpoints[(rank + 1) % members.length]!;
    send({ rank, ranks: members.length, nextEndpoint, length: LENGTH });
  });
  const reduced = (await Promise.all(results)).map(([result]) => result as Result);
  members.forEach(({ send }) => send('commit'));
  for (const [code] of await Promise.all(exits)) assert.equal(code, 0);
  return reduced;
}

void test('ranks in worker threads reduce, stay responsive, and end by themselves after close()', async () => {
  const results = await reduceOver([thread(), thread(), thread()]);
  const expected = fillSum(integers(LENGTH), 3);
  for (const { out, turns } of results) {
    assert.deepEqual(out, expected);
    assert.ok(turns > 0);
  }
});

void test('ranks in processes reduce, and end by themselves after close()', async () => {
  const results = await reduceOver([child(), child()]);
  const expected = fillSum(integers(LENGTH), 2);
  for (const { out } of results) assert.deepEqual(out, expected);
});
