/** What a coordinator finds in the folder of a run that was interrupted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRun } from '../../../src/coordinator/recovery/run-opening.js';
import { runFixture } from '../run-fixture.js';

test('an interrupted run whose checkpoints are damaged goes on with the workers that hold its state', async (t) => {
  const { definition, warnings, damagedCheckpoint, interruptedAt } = runFixture(t);
  await interruptedAt(3, 'wasm');
  damagedCheckpoint(3);
  const { state, start, saved } = await openRun(definition, false);
  assert.deepEqual([state.step, start, saved], [3, null, -1]);
  assert.match(
    warnings.join('\n'),
    /step-00000003 does not verify.*\n.*a worker of the run must have it: .*CHECKPOINT_CORRUPT/,
  );
});

test('a checkpoint of another step is not read, and is known as the newest', async (t) => {
  const { definition, warnings, damagedCheckpoint, interruptedAt } = runFixture(t);
  await interruptedAt(3, 'wasm');
  damagedCheckpoint(2);
  // Of a stretch that the run has rolled back over.
  damagedCheckpoint(5);
  const { start, saved } = await openRun(definition, false);
  assert.deepEqual([start, saved, warnings], [null, 2, []]);
});

test('an interrupted run needs the weights that it began with no more', async (t) => {
  const { definition, warnings, interruptedAt } = runFixture(t, { initFrom: '/gone' });
  await interruptedAt(3, 'wasm');
  assert.equal((await openRun(definition, false)).start, null);
  assert.deepEqual(warnings, []);
});

test('interrupted before its first step it needs them, or workers that have them', async (t) => {
  const fromSeed = runFixture(t);
  await fromSeed.interruptedAt(0, 'wasm');
  assert.deepEqual((await openRun(fromSeed.definition, false)).start?.parts.size, 0);
  const { definition, warnings, interruptedAt } = runFixture(t, { initFrom: '/gone' });
  await interruptedAt(0, 'wasm');
  assert.equal((await openRun(definition, false)).start, null);
  assert.match(warnings.join('\n'), /a worker of the run must have it: CHECKPOINT_NOT_FOUND/);
});

test('it is computed with what it was computed with', async (t) => {
  const { definition, interruptedAt } = runFixture(t);
  assert.equal((await openRun(definition, false)).backend, null);
  await interruptedAt(3, 'wasm');
  const opening = await openRun(definition, false);
  assert.deepEqual([opening.backend, opening.interrupted], ['wasm', true]);
});

test('the digest of what it began with is known from its journal, though the command does not say it', async (t) => {
  const { definition, begin, journalOf, stateAfter } = runFixture(t);
  const opening = await openRun(definition, false);
  assert.equal(opening.config.initDigest, null);
  begin();
  const initDigest = 'd'.repeat(64);
  await journalOf(opening, { state: stateAfter(3), config: { ...definition.config, initDigest } });
  assert.equal((await openRun(definition, false)).config.initDigest, initDigest);
});
