/** What a program asks about runs and data sets, without a coordinator. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { openRun } from '../../src/coordinator/recovery/run-opening.js';
import { chaos, checkData, coordinatorStatus, runStatus, writeExclusion } from '../../src/index.js';
import { runFixture, temporaryRun } from '../coordinator/run-fixture.js';

test('an ended run is told by its journal, and an interrupted one by its silence', async (t) => {
  const { definition, journalOf, stateAfter } = runFixture(t);
  const { out } = definition.config;
  const journal = await journalOf(await openRun(definition, false));
  await journal.commit(stateAfter(3), 1, 'd', [0]);
  const interrupted = await runStatus(out);
  assert.deepEqual([interrupted.state, interrupted.live, interrupted.stored.step], ['interrupted', null, 3]);
  assert.equal(interrupted.coordinator.number, 1);
  await journal.end('finished', true);
  const { state, reason, stored } = await runStatus(out);
  assert.deepEqual([state, reason, stored.end?.clean], ['ended', 'finished', true]);
});

test('whoever gives up the wait for a sign of the coordinator learns what is known', async (t) => {
  const { definition, journalOf } = runFixture(t);
  const { out } = definition.config;
  await journalOf(await openRun(definition, false), { host: 'elsewhere', network: 'another' });
  writeFileSync(join(out, 'coordinator-1.lock'), 'of another version');
  const notes: string[] = [];
  const options = { onNote: (text: string) => notes.push(text), signal: AbortSignal.abort() };
  assert.equal((await runStatus(out, options)).state, 'unknown');
  assert.match(notes.join(), /watching for up to \d+ s/);
});

test('a folder without a run and an address without a coordinator are coded errors', async (t) => {
  await assert.rejects(runStatus(temporaryRun(t)), { code: 'RUN_NOT_FOUND' });
  await assert.rejects(coordinatorStatus('no address'), { code: 'STATUS_UNANSWERED' });
  await assert.rejects(coordinatorStatus('http://127.0.0.1:6/'), { code: 'STATUS_UNANSWERED' });
});

test('a data set is checked, its broken images are listed, and a check can be called off', async (t) => {
  const root = temporaryRun(t);
  const pixels = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  for (const split of ['train', 'val']) {
    for (const of of ['a', 'b']) {
      mkdirSync(join(root, split, of), { recursive: true });
      writeFileSync(join(root, split, of, 'good.png'), pixels);
    }
  }
  writeFileSync(join(root, 'train', 'a', 'broken.png'), 'no image');
  const progress: number[] = [];
  const check = await checkData(root, { onProgress: (done) => progress.push(done) });
  assert.deepEqual(
    check.broken.map(({ path }) => path),
    ['train/a/broken.png'],
  );
  assert.equal(progress.at(-1), 5);
  const list = join(root, 'broken.txt');
  await writeExclusion(list, check);
  assert.match(readFileSync(list, 'utf8'), /train\/a\/broken\.png/);
  assert.deepEqual((await checkData(root, { exclude: list })).broken, []);
  const reason = new Error('enough');
  await assert.rejects(checkData(root, { signal: AbortSignal.abort(reason) }), reason);
});

test('chaos refuses what it cannot do, and one that is called off tells nothing', async (t) => {
  const out = join(temporaryRun(t), 'chaos');
  await assert.rejects(chaos({ out, workers: 7 }).next(), { code: 'CONFIG_INVALID_VALUE' });
  const events = chaos({ out }, { signal: AbortSignal.abort() });
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});
