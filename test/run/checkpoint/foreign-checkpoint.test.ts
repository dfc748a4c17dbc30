/** What is given as a checkpoint and holds weights of another program is refused with what it is. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { resolveCheckpoint } from '../../../src/run/checkpoint/checkpoint-store.js';
import { readCheckpointState } from '../../../src/run/checkpoint/checkpoint-reader.js';
import { isForeign } from '../../../src/run/checkpoint/foreign-checkpoint.js';
import { writeSafetensors } from '../../../src/run/checkpoint/safetensors.js';
import { codeOf, contentOf, withRunFolder, saveCheckpoint } from './checkpoint-fixture.js';

const resolved = (path: string): Promise<string> => resolveCheckpoint(nodeDisk, path, () => undefined);
const VALUE = { name: 'cls_token', shape: [1], data: new Float32Array(1) };

test('a file of weights is named for what it is, and the remedy says what can be given', () =>
  withRunFolder(async (folder) => {
    const weights = join(folder, 'model.safetensors');
    await writeSafetensors(nodeDisk, weights, [VALUE], { format: 'pt' });
    await assert.rejects(resolved(weights), {
      code: 'CHECKPOINT_FOREIGN',
      message: /model\.safetensors is a safetensors file, not a checkpoint of vitrail.*run folder/s,
    });
    for (const [name, what] of [
      ['pytorch_model.bin', 'a file as PyTorch writes it'],
      ['ViT-B_16.npz', 'a NumPy archive'],
      ['notes.txt', 'a file,'],
    ] as const) {
      writeFileSync(join(folder, name), '');
      await assert.rejects(resolved(join(folder, name)), { message: new RegExp(`${name} is ${what}`) });
    }
  }));

test("a folder of another program's weights is not reported as an unfinished checkpoint", () =>
  withRunFolder(async (folder) => {
    for (const name of ['model.safetensors', 'weights.safetensors', 'model.safetensors.index.json']) {
      const path = join(folder, name.replaceAll('.', '-'));
      mkdirSync(path);
      writeFileSync(join(path, 'config.json'), '{}');
      if (name.endsWith('.json')) writeFileSync(join(path, name), '{}');
      else await writeSafetensors(nodeDisk, join(path, name), [VALUE], { format: 'pt' });
      await assert.rejects(resolved(path), {
        code: 'CHECKPOINT_FOREIGN',
        message: new RegExp(`with ${name}`),
      });
    }
  }));

test('a file of a checkpoint of ours names the folder to give instead', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    await assert.rejects(resolved(join(path, 'weights.safetensors')), {
      code: 'CHECKPOINT_FOREIGN',
      message: new RegExp(`a file of the checkpoint ${path}`),
    });
  }));

test("a checkpoint's weights without its other files are not taken for those of another library", () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    const alone = join(runDir, 'alone.safetensors');
    assert.equal(await isForeign(nodeDisk, join(path, 'weights.safetensors')), false);
    cpSync(join(path, 'weights.safetensors'), alone);
    assert.equal(await isForeign(nodeDisk, alone), false);
    await assert.rejects(resolved(alone), { message: /alone\.safetensors is a checkpoint's weights alone/ });
    await writeSafetensors(nodeDisk, alone, [VALUE], { format: 'pt' });
    assert.equal(await isForeign(nodeDisk, alone), true);
  }));

test('a checkpoint of ours that was copied in part is still one that was never completed', () =>
  withRunFolder(async (runDir) => {
    const path = await saveCheckpoint(runDir, contentOf(1));
    for (const name of ['COMPLETE', 'checksums.json', 'state.json']) rmSync(join(path, name));
    assert.equal(await codeOf(readCheckpointState(nodeDisk, await resolved(path))), 'CHECKPOINT_INCOMPLETE');
  }));

test('a path where nothing is, and a folder without weights, hold no checkpoint', () =>
  withRunFolder(async (runDir) => {
    assert.equal(await codeOf(resolved(join(runDir, 'none'))), 'CHECKPOINT_NOT_FOUND');
    assert.equal(await codeOf(resolved(runDir)), 'CHECKPOINT_NOT_FOUND');
  }));
