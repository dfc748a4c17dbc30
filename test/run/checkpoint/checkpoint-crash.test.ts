/** A crash between any two steps of a write leaves a run that continues from a checkpoint that verifies. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { pathToFileURL } from 'node:url';
import { readCheckpoint, verifyCheckpoint } from '../../../src/run/checkpoint/checkpoint-reader.js';
import { listCheckpoints, newestVerified } from '../../../src/run/checkpoint/checkpoint-store.js';
import { LAYOUT, contentOf, withRunFolder, saveCheckpoint } from './checkpoint-fixture.js';

/** In the order in which they are written. */
const WRITE_ORDER = [
  'weights.safetensors',
  'optimizer.safetensors',
  'state.json',
  'checksums.json',
  'COMPLETE',
];

function neverRejected(path: string): never {
  throw new Error(`${path} was rejected`);
}

for (let written = 0; written <= WRITE_ORDER.length; written++) {
  test(`a crash after ${written} of ${WRITE_ORDER.length} files: the older one stands, the next write cleans up`, () =>
    withRunFolder(async (runDir) => {
      await saveCheckpoint(runDir, contentOf(1));
      const whole = await saveCheckpoint(join(runDir, 'elsewhere'), contentOf(2));
      const folder = join(runDir, 'checkpoints');
      const temporary = join(folder, '.tmp-step-00000002');
      mkdirSync(temporary);
      for (const name of WRITE_ORDER.slice(0, written)) cpSync(join(whole, name), join(temporary, name));

      assert.equal((await newestVerified(nodeDisk, runDir, neverRejected))?.step, 1);
      await saveCheckpoint(runDir, contentOf(2));
      assert.deepEqual(readdirSync(folder).sort(), ['step-00000001', 'step-00000002']);
      assert.equal((await newestVerified(nodeDisk, runDir, neverRejected))?.step, 2);
    }));
}

test('after a crash between the two renames of a rewrite, the folder that was moved aside counts, and comes back', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(3));
    const folder = join(runDir, 'checkpoints');
    renameSync(path, join(folder, '.old-step-00000003'));
    assert.deepEqual(await listCheckpoints(nodeDisk, runDir), [
      { step: 3, path: join(folder, '.old-step-00000003') },
    ]);
    assert.equal((await newestVerified(nodeDisk, runDir, neverRejected))?.step, 3);
    await saveCheckpoint(runDir, contentOf(4));
    assert.deepEqual(readdirSync(folder).sort(), ['step-00000003', 'step-00000004']);
    await verifyCheckpoint(nodeDisk, path);
  }));

test('a crash after the second rename of a rewrite: the new one stands, the old one goes', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(3));
    const folder = join(runDir, 'checkpoints');
    cpSync(path, join(folder, '.old-step-00000003'), { recursive: true });
    assert.deepEqual(await listCheckpoints(nodeDisk, runDir), [{ step: 3, path }]);
    await saveCheckpoint(runDir, contentOf(4));
    assert.deepEqual(readdirSync(folder).sort(), ['step-00000003', 'step-00000004']);
  }));

test('a crash while an old checkpoint is removed leaves nothing that looks like one', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    await saveCheckpoint(runDir, contentOf(2));
    const aside = join(runDir, 'checkpoints', '.tmp-pruned-step-00000001');
    renameSync(path, aside);
    rmSync(join(aside, 'weights.safetensors'));
    assert.deepEqual(
      (await listCheckpoints(nodeDisk, runDir)).map(({ step }) => step),
      [2],
    );
    await saveCheckpoint(runDir, contentOf(3));
    assert.deepEqual(readdirSync(join(runDir, 'checkpoints')).sort(), ['step-00000002', 'step-00000003']);
  }));

const WRITER = `
  const { contentOf, saveCheckpoint } = await import(process.argv[1]);
  for (let step = 1; ; step++) {
    await saveCheckpoint(process.argv[2], contentOf(step));
    console.log(step);
  }
`;

test(
  'a writer killed at any moment leaves the last checkpoint it reported, or the next',
  { timeout: 30_000 },
  () =>
    withRunFolder(async (runDir) => {
      const module = (path: string): string => pathToFileURL(join(process.cwd(), 'dist', path)).href;
      const fixture = module('test/run/checkpoint/checkpoint-fixture.js');
      const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, fixture, runDir], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let last = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        last = Number(line);
        if (last === 4) child.kill('SIGKILL');
      }
      const newest = await newestVerified(nodeDisk, runDir, neverRejected);
      assert.ok(newest !== null && newest.step >= last);
      const read = await readCheckpoint(nodeDisk, newest.path, LAYOUT);
      assert.ok(Buffer.from(read.weights.buffer).equals(Buffer.from(contentOf(newest.step).weights.buffer)));
      await saveCheckpoint(runDir, contentOf(newest.step + 1));
      assert.ok(readdirSync(join(runDir, 'checkpoints')).every((name) => name.startsWith('step-')));
    }),
);
