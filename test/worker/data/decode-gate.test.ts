import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { DecodeGate } from '../../../src/worker/data/decode-gate.js';

/** Notes when each task begins and ends; a task takes `turns` turns of the event loop. */
function noted(): { log: string[]; task: (name: string, turns: number) => () => Promise<string> } {
  const log: string[] = [];
  const task = (name: string, turns: number) => async (): Promise<string> => {
    log.push(`${name} begins`);
    for (let i = 0; i < turns; i++) await turn();
    log.push(`${name} ends`);
    return name;
  };
  return { log, task };
}

test('tasks run side by side, and one alone after those before it and before those after it', async () => {
  const gate = new DecodeGate();
  const { log, task } = noted();
  const all = [
    gate.beside(task('a', 3)),
    gate.beside(task('b', 1)),
    gate.alone(task('x', 2)),
    gate.alone(task('y', 1)),
    gate.beside(task('c', 1)),
  ];
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'x', 'y', 'c']);
  const order = [
    'a begins',
    'b begins',
    'b ends',
    'a ends',
    'x begins',
    'x ends',
    'y begins',
    'y ends',
    'c begins',
  ];
  assert.deepEqual(log, [...order, 'c ends']);
});

test('a task that fails lets the others on', async () => {
  const gate = new DecodeGate();
  const { task } = noted();
  const failing = (): Promise<never> => Promise.reject(new Error('no'));
  await assert.rejects(gate.beside(failing), /no/);
  await assert.rejects(gate.alone(failing), /no/);
  assert.equal(await gate.alone(task('x', 1)), 'x');
  assert.equal(await gate.beside(task('y', 1)), 'y');
});
