/** Fine-tuning from published weights with the real command: the model's shape comes from their files. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, smallDataset, startCli, temporaryFolder } from './cli-run.js';

const FIXTURES = 'test/fixtures/interop';
const folder = temporaryFolder();
let data = '';

before(async () => {
  data = await smallDataset(folder.path);
});

after(() => folder.remove());

const SHORT = '--batch 16 --micro-batch 4 --steps 1 --warmup-steps 0 --lr 0.001 --seed 7 --backend cpu'.split(
  ' ',
);

const train = (name: string, ...flags: string[]): ReturnType<typeof cli> =>
  cli('train', '--data', data, '--out', join(folder.path, name), ...SHORT, ...flags);

test('a folder of timm is fine-tuned without a word about its shape, the same on one and two workers', async () => {
  const digests: string[] = [];
  for (const workers of ['1', '2']) {
    const name = `timm-${workers}`;
    const run = await train(name, '--init-from', join(FIXTURES, 'timm-vit'), '--workers', workers);
    assert.equal(run.code, 0, run.stderr);
    const digest = await cli('digest', join(folder.path, name));
    digests.push(digest.stdout.trim().split(/\s/)[0]!);
    const config = readFileSync(join(folder.path, name, 'config.yaml'), 'utf8');
    assert.match(config, /model: vit-2x16x32x2\/8\n/);
    assert.match(config, /imageSize: 32\n|image-size: 32\n/);
    assert.match(config, /gelu: erf\n/);
  }
  assert.match(digests[0]!, /^[0-9a-f]{64}$/);
  assert.equal(digests[0], digests[1]);
});

test('a state dict of torchvision is fine-tuned at another resolution, its heads named by --model', async () => {
  const weights = join(FIXTURES, 'torchvision-vit/model.pth');
  const flags = [
    '--model',
    'vit-2x16x32x2/8',
    '--image-size',
    '48',
    '--position-interpolation',
    'bicubic-aligned',
  ];
  const run = await train('torchvision', '--init-from', weights, ...flags);
  assert.equal(run.code, 0, run.stderr);
});

test('a model that is named and is not that of the weights is refused with what differs', async () => {
  const run = await train('other', '--init-from', join(FIXTURES, 'timm-vit'), '--model', 'vit-micro/8');
  assert.notEqual(run.code, 0);
  assert.match(run.stderr, /CHECKPOINT_OTHER_MODEL.*layers 2 instead of 4/);
});

test('a model of a hub is fine-tuned from the cache, without the network', async () => {
  const commit = 'c0ffee'.padEnd(40, '0');
  const model = join(folder.path, 'cache', 'models--some--vit');
  cpSync(join(FIXTURES, 'hf-vit-sharded'), join(model, 'snapshots', commit), { recursive: true });
  mkdirSync(join(model, 'refs'));
  writeFileSync(join(model, 'refs', 'main'), commit);
  const fineTuned = (name: string): ReturnType<typeof cli> => {
    const paths = [
      '--data',
      data,
      '--out',
      join(folder.path, name),
      '--init-from',
      `hf:some/${name}`,
      '--offline',
    ];
    return startCli(['train', ...paths, ...SHORT], { HF_HUB_CACHE: join(folder.path, 'cache') }).done;
  };
  const run = await fineTuned('vit');
  assert.equal(run.code, 0, run.stderr);
  assert.match(readFileSync(join(folder.path, 'vit', 'config.yaml'), 'utf8'), /hf:some\/vit\n/);
  const other = await fineTuned('other');
  assert.match(other.stderr, /HUB_NOT_CACHED: hf:some\/other is not in the cache/);
});
