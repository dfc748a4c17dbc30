/** A run with the features of published models: the same weights on any number of workers, and usable afterwards. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../src/host/disk.js';
import { readSafetensorsHeader } from '../../src/run/checkpoint/safetensors.js';
import { cli, logLines } from './cli-run.js';
import { TrainedRuns } from './trained-runs.js';

const FEATURES = [
  '--pooling',
  'average',
  '--layer-scale',
  '0.1',
  '--registers',
  '2',
  '--positions',
  'patches',
  '--no-qkv-bias',
  '--layer-norm-epsilon',
  '1e-5',
];
const runs = new TrainedRuns();

test('one, two and three workers end with the same weights, of timm’s names, and the run is evaluated with them', async () => {
  const { weightDigest } = await runs.trained('one', '--workers', '1', ...FEATURES);
  for (const workers of ['2', '3']) {
    const other = await runs.trained(`workers-${workers}`, '--workers', workers, ...FEATURES);
    assert.equal(other.weightDigest, weightDigest);
  }
  const last = logLines(runs.runDir('one'), 'checkpoint').at(-1) as { path: string };
  const { tensors, metadata } = await readSafetensorsHeader(nodeDisk, join(last.path, 'weights.safetensors'));
  const names = tensors.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 3), ['cls_token', 'reg_token', 'pos_embed']);
  assert.ok(names.includes('fc_norm.weight') && names.includes('blocks.0.ls1.gamma'));
  assert.ok(!names.includes('blocks.0.attn.qkv.bias'));
  assert.deepEqual(
    ['pooling', 'last_norm', 'registers', 'qkv_bias'].map((key) => metadata[key]),
    ['average', 'after-pooling', '2', 'false'],
  );
  const { code, stderr } = await cli('evaluate', runs.runDir('one'));
  assert.equal(code, 0, stderr);
});

test('a run is not resumed with another feature', async () => {
  await runs.trained('half', '--workers', '1', '--steps', '1', ...FEATURES);
  const { code, stderr } = await cli('train', '--resume', runs.runDir('half'), '--registers', '3');
  assert.equal(code, 1);
  assert.match(stderr, /RUN_CONFIG_CHANGED.*registers/s);
});
