/** A checkpoint that is not exactly what was written is refused, whichever byte it is. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { encodeState, type CheckpointState } from '../../../src/run/checkpoint/checkpoint-format.js';
import { decodeChecksums, encodeChecksums } from '../../../src/run/checkpoint/checkpoint-format.js';
import {
  readCheckpoint,
  readCheckpointState,
  verifyCheckpoint,
} from '../../../src/run/checkpoint/checkpoint-reader.js';
import { textDigest } from '../../../src/run/checkpoint/file-digest.js';
import { LAYOUT, codeOf, contentOf, withRunFolder, saveCheckpoint } from './checkpoint-fixture.js';

const FILES = ['weights.safetensors', 'optimizer.safetensors', 'state.json', 'checksums.json'] as const;

for (const name of FILES) {
  test(`${name} cut at any length is refused with its name`, () =>
    withRunFolder(async (runDir) => {
      const path = await saveCheckpoint(runDir, contentOf(1));
      const { length } = readFileSync(join(path, name));
      for (const keep of [length - 1, Math.floor(length / 2), 8, 1, 0]) {
        truncateSync(join(path, name), keep);
        await assert.rejects(readCheckpoint(nodeDisk, path, LAYOUT), {
          code: 'CHECKPOINT_CORRUPT',
          message: new RegExp(name),
        });
      }
    }));

  test(`${name} with one flipped bit anywhere is refused`, () =>
    withRunFolder(async (runDir) => {
      const path = await saveCheckpoint(runDir, contentOf(1));
      const original = readFileSync(join(path, name));
      const stride = Math.max(1, Math.floor(original.length / 23));
      for (let at = 0; at < original.length; at += stride) {
        const damaged = Buffer.from(original);
        damaged[at]! ^= 1 << (at % 8);
        writeFileSync(join(path, name), damaged);
        // A digit of a checksum may become another one: then the file it is of no longer fits.
        const blamed = name === 'checksums.json' ? /json|safetensors/ : new RegExp(name);
        await assert.rejects(verifyCheckpoint(nodeDisk, path), {
          code: 'CHECKPOINT_CORRUPT',
          message: blamed,
        });
      }
      writeFileSync(join(path, name), original);
      await verifyCheckpoint(nodeDisk, path);
    }));

  test(`${name} missing is refused with its name`, () =>
    withRunFolder(async (runDir) => {
      const path = await saveCheckpoint(runDir, contentOf(1));
      rmSync(join(path, name));
      await assert.rejects(verifyCheckpoint(nodeDisk, path), {
        code: 'CHECKPOINT_CORRUPT',
        message: new RegExp(`${name.replace('.', '\\.')} is missing`),
      });
    }));
}

test('every single byte of the checksums is guarded', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    const text = readFileSync(join(path, 'checksums.json'), 'latin1');
    for (let at = 0; at < text.length; at++) {
      for (const other of [' ', '\n', '0', 'a']) {
        if (text[at] === other) continue;
        const changed = decodeChecksums(text.slice(0, at) + other + text.slice(at + 1));
        // A digit of a checksum or size may change into another valid one: then it no longer fits its file.
        assert.ok(changed === null || encodeChecksums(changed) !== text);
      }
    }
  }));

test('a checkpoint without its marker was never completed', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    rmSync(join(path, 'COMPLETE'));
    assert.equal(await codeOf(readCheckpoint(nodeDisk, path, LAYOUT)), 'CHECKPOINT_INCOMPLETE');
    assert.equal(await codeOf(readCheckpointState(nodeDisk, path)), 'CHECKPOINT_INCOMPLETE');
  }));

test('a file exchanged with another checkpoint’s is refused', () =>
  withRunFolder(async (runDir) => {
    const one = await saveCheckpoint(runDir, contentOf(1));
    const two = await saveCheckpoint(runDir, contentOf(2));
    cpSync(join(one, 'weights.safetensors'), join(two, 'weights.safetensors'));
    await assert.rejects(verifyCheckpoint(nodeDisk, two), {
      code: 'CHECKPOINT_CORRUPT',
      message: /has SHA-256/,
    });
  }));

test('no folder, a file, and a folder in the place of a file are told apart', () =>
  withRunFolder(async (runDir) => {
    assert.equal(await codeOf(verifyCheckpoint(nodeDisk, join(runDir, 'none'))), 'CHECKPOINT_NOT_FOUND');
    const path = await saveCheckpoint(runDir, contentOf(1));
    assert.equal(await codeOf(verifyCheckpoint(nodeDisk, join(path, 'state.json'))), 'CHECKPOINT_NOT_FOUND');
    assert.equal(
      await codeOf(verifyCheckpoint(nodeDisk, join(path, 'state.json', 'x'))),
      'CHECKPOINT_NOT_FOUND',
    );
    assert.equal(await codeOf(verifyCheckpoint(nodeDisk, 'x'.repeat(5000))), 'CHECKPOINT_UNREADABLE');
    for (const name of ['checksums.json', 'weights.safetensors']) {
      renameSync(join(path, name), join(runDir, 'aside'));
      mkdirSync(join(path, name));
      assert.equal(await codeOf(verifyCheckpoint(nodeDisk, path)), 'CHECKPOINT_UNREADABLE');
      rmSync(join(path, name), { recursive: true });
      renameSync(join(runDir, 'aside'), join(path, name));
    }
    await verifyCheckpoint(nodeDisk, path);
  }));

/** A state.json whose checksum fits, as another version of vitrail might have written it. */
async function withState(runDir: string, text: string): Promise<string> {
  const path = await saveCheckpoint(runDir, contentOf(1));
  const file = join(path, 'checksums.json');
  const checksums = decodeChecksums(readFileSync(file, 'utf8'))!;
  writeFileSync(join(path, 'state.json'), text);
  writeFileSync(file, encodeChecksums({ ...checksums, 'state.json': textDigest(text) }));
  return path;
}

const STATES: readonly (readonly [what: string, text: string, message: RegExp])[] = [
  ['no JSON', 'x', /state\.json is not a JSON object/],
  ['a list', '[]', /state\.json is not a JSON object/],
  ['another format', '{"format": 2}', /state\.json has format 2, this version reads 1/],
  ['no step', '{"format": 1, "state": {}}', /has no step or no state/],
  ['no state', '{"format": 1, "step": 1}', /has no step or no state/],
];

for (const [what, text, message] of STATES) {
  test(`a state.json with ${what} is refused even where its checksum fits`, () =>
    withRunFolder(async (runDir) => {
      const path = await withState(runDir, text);
      await assert.rejects(readCheckpointState(nodeDisk, path), { code: 'CHECKPOINT_CORRUPT', message });
    }));
}

test('checksums of other shapes are refused', () => {
  for (const text of ['', '[]', '{}', '{"files": []}', '{"files": {"weights.safetensors": 1}}', 'null']) {
    assert.equal(decodeChecksums(text), null);
  }
});

test('a state may hold any JSON', () => {
  const state: CheckpointState = { a: [1, { b: null }], __proto__x: 'y', deep: { best: { step: 3 } } };
  const encoded = encodeState(4, state);
  assert.ok('text' in encoded);
  assert.deepEqual(JSON.parse(encoded.text), { format: 1, step: 4, state });
});
