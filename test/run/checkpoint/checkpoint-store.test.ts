/** Which checkpoints a run has, which is trusted, kept, and meant by a path. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { thisProcess } from '../../../src/host/process.js';
import { writeFileAtomic } from '../../../src/host/atomic-file.js';
import {
  listCheckpoints,
  newestVerified,
  prune,
  readBest,
  resolveCheckpoint,
  writeBest,
} from '../../../src/run/checkpoint/checkpoint-store.js';
import { codeOf, contentOf, withRunFolder, saveCheckpoint } from './checkpoint-fixture.js';

const HOST = { disk: nodeDisk, process: thisProcess };
/** Nobody else writes here. */
const unchecked = async (): Promise<void> => Promise.resolve();

async function write(runDir: string, ...steps: number[]): Promise<string[]> {
  const paths: string[] = [];
  for (const step of steps) paths.push(await saveCheckpoint(runDir, contentOf(step)));
  return paths;
}

function collector(): { readonly seen: string[]; readonly onRejected: (path: string, error: Error) => void } {
  const seen: string[] = [];
  return { seen, onRejected: (path, error) => seen.push(`${path} ${error.message}`) };
}

test('checkpoints are listed by step, and other names are passed over', () =>
  withRunFolder(async (runDir) => {
    await write(runDir, 200, 9, 123_456_789);
    for (const name of ['step-1', 'step-0000000x', 'notes', 'step-000000009']) {
      mkdirSync(join(runDir, 'checkpoints', name));
    }
    assert.deepEqual(
      (await listCheckpoints(nodeDisk, runDir)).map(({ step }) => step),
      [9, 200, 123_456_789],
    );
  }));

test('a run folder without checkpoints, or none at all, has none', () =>
  withRunFolder(async (runDir) => {
    const { seen, onRejected } = collector();
    assert.deepEqual(await listCheckpoints(nodeDisk, runDir), []);
    assert.equal(await newestVerified(nodeDisk, join(runDir, 'none'), onRejected), null);
    assert.deepEqual(seen, []);
  }));

test('the newest that verifies is taken, and each newer one is reported with its reason', () =>
  withRunFolder(async (runDir) => {
    const [, , third, fourth] = await write(runDir, 1, 2, 3, 4);
    rmSync(join(fourth!, 'COMPLETE'));
    truncateSync(join(third!, 'optimizer.safetensors'), 100);
    const { seen, onRejected } = collector();
    const newest = await newestVerified(nodeDisk, runDir, onRejected);
    assert.equal(newest?.step, 2);
    assert.deepEqual(newest.state, contentOf(2).state);
    assert.equal(seen.length, 2);
    assert.match(seen[0]!, /step-00000004 CHECKPOINT_INCOMPLETE/);
    assert.match(seen[1]!, /step-00000003 CHECKPOINT_CORRUPT.*optimizer\.safetensors has 100 bytes/);
  }));

test('the last ones and the best are kept', () =>
  withRunFolder(async (runDir) => {
    const paths = await write(runDir, 1, 2, 3, 4, 5);
    await writeBest(HOST, runDir, { step: 2, metric: 'test-loss', value: 0.5 }, unchecked);
    assert.deepEqual(await prune(nodeDisk, runDir, 2, unchecked), [paths[0], paths[2]]);
    assert.deepEqual(
      (await listCheckpoints(nodeDisk, runDir)).map(({ step }) => step),
      [2, 4, 5],
    );
    assert.deepEqual(await prune(nodeDisk, runDir, 2, unchecked), []);
    assert.deepEqual(await prune(nodeDisk, runDir, 7, unchecked), []);
    assert.deepEqual(readdirSync(join(runDir, 'checkpoints')).length, 3);
  }));

test('without a best only the last ones are kept', () =>
  withRunFolder(async (runDir) => {
    await write(runDir, 1, 2, 3);
    assert.equal((await prune(nodeDisk, runDir, 1, unchecked)).length, 2);
    assert.deepEqual(await prune(nodeDisk, join(runDir, 'none'), 1, unchecked), []);
  }));

test('the best is read back, replaced whole, and null before there is one', () =>
  withRunFolder(async (runDir) => {
    assert.equal(await readBest(nodeDisk, runDir), null);
    const first = { step: 2, metric: 'test-loss', value: 0.5 };
    await writeBest(HOST, runDir, first, unchecked);
    assert.deepEqual(await readBest(nodeDisk, runDir), first);
    const second = { step: 9, metric: 'test-accuracy', value: 1 };
    await writeBest(HOST, runDir, second, unchecked);
    assert.deepEqual(await readBest(nodeDisk, runDir), second);
    assert.deepEqual(readdirSync(runDir), ['best.json']);
  }));

test('a damaged best is refused, whatever it holds', () =>
  withRunFolder(async (runDir) => {
    const good = { step: 1, metric: 'test-loss', value: 1 };
    const texts = ['', '{', 'null', '[]', '1'].concat(
      [
        { ...good, step: -1 },
        { ...good, step: 1.5 },
        { ...good, step: '../..' },
        { ...good, metric: 1 },
        { step: 1 },
      ].map((value) => JSON.stringify(value)),
    );
    for (const text of texts) {
      writeFileSync(join(runDir, 'best.json'), text);
      assert.equal(await codeOf(readBest(nodeDisk, runDir)), 'CHECKPOINT_CORRUPT', text);
    }
    rmSync(join(runDir, 'best.json'));
    mkdirSync(join(runDir, 'best.json'));
    assert.equal(await codeOf(readBest(nodeDisk, runDir)), 'CHECKPOINT_UNREADABLE');
    assert.equal(await codeOf(writeBest(HOST, runDir, good, unchecked)), 'CHECKPOINT_WRITE_FAILED');
  }));

test('a path means the checkpoint itself, a run’s best, or its newest that verifies', () =>
  withRunFolder(async (runDir) => {
    const [one, two, three] = await write(runDir, 1, 2, 3);
    const { seen, onRejected } = collector();
    assert.equal(await resolveCheckpoint(nodeDisk, two!, onRejected), two);
    assert.equal(await resolveCheckpoint(nodeDisk, runDir, onRejected), three);
    truncateSync(join(three!, 'state.json'), 3);
    assert.equal(await resolveCheckpoint(nodeDisk, runDir, onRejected), two);
    assert.equal(seen.length, 1);
    await writeBest(HOST, runDir, { step: 1, metric: 'test-loss', value: 1 }, unchecked);
    assert.equal(await resolveCheckpoint(nodeDisk, runDir, onRejected), one);
    // A crash came while it was being written again.
    const aside = join(runDir, 'checkpoints', '.old-step-00000001');
    renameSync(one!, aside);
    assert.equal(await resolveCheckpoint(nodeDisk, runDir, onRejected), aside);
  }));

test('a path that means nothing, a best that is gone and a run of damaged ones are errors', () =>
  withRunFolder(async (runDir) => {
    const { seen, onRejected } = collector();
    assert.equal(await codeOf(resolveCheckpoint(nodeDisk, runDir, onRejected)), 'CHECKPOINT_NOT_FOUND');
    assert.equal(
      await codeOf(resolveCheckpoint(nodeDisk, join(runDir, 'none'), onRejected)),
      'CHECKPOINT_NOT_FOUND',
    );
    const [one, two] = await write(runDir, 1, 2);
    truncateSync(join(one!, 'checksums.json'), 3);
    rmSync(join(two!, 'COMPLETE'));
    assert.equal(await codeOf(resolveCheckpoint(nodeDisk, runDir, onRejected)), 'CHECKPOINT_INCOMPLETE');
    assert.equal(seen.length, 2);
    await writeBest(HOST, runDir, { step: 8, metric: 'test-loss', value: 1 }, unchecked);
    await assert.rejects(resolveCheckpoint(nodeDisk, runDir, onRejected), {
      code: 'CHECKPOINT_NOT_FOUND',
      message: /step-00000008/,
    });
  }));

test('an unfinished checkpoint that is named is not replaced by another, so that reading it says what is wrong', () =>
  withRunFolder(async (runDir) => {
    const [path] = await write(runDir, 1);
    rmSync(join(path!, 'COMPLETE'));
    assert.equal(await resolveCheckpoint(nodeDisk, path!, collector().onRejected), path);
  }));

test('an atomic write that fails leaves the old file and nothing else', () =>
  withRunFolder(async (runDir) => {
    const path = join(runDir, 'file');
    await writeFileAtomic(HOST, path, 'old');
    await writeFileAtomic(HOST, path, 'new');
    assert.equal(readFileSync(path, 'utf8'), 'new');
    const lost = async (): Promise<void> => Promise.reject(new Error('another has it'));
    await assert.rejects(writeFileAtomic(HOST, path, 'newer', lost), /another has it/);
    mkdirSync(join(runDir, 'folder'));
    await assert.rejects(writeFileAtomic(HOST, join(runDir, 'folder'), 'newer'));
    assert.equal(readFileSync(path, 'utf8'), 'new');
    assert.deepEqual(readdirSync(runDir).sort(), ['file', 'folder']);
  }));
