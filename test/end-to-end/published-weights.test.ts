/** Fine-tuning from published weights with the real command: the model's shape comes from their files. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

/** A cache of a hub with models in it, by commit. `main` stands for the first. */
function hubCache(name: string, models: Readonly<Record<string, string>>) {
  const cache = join(folder.path, 'cache');
  const model = join(cache, `models--some--${name}`);
  for (const [commit, fixture] of Object.entries(models)) {
    cpSync(join(FIXTURES, fixture), join(model, 'snapshots', commit), { recursive: true });
  }
  mkdirSync(join(model, 'refs'));
  const refer = (commit: string): void => writeFileSync(join(model, 'refs', 'main'), commit);
  refer(Object.keys(models)[0]!);
  const command = (...args: string[]): ReturnType<typeof cli> =>
    startCli(args, { HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '1' }).done;
  return { model, refer, command };
}

const COMMIT = 'c0ffee'.padEnd(40, '0');
const LATER = 'decade'.padEnd(40, '0');

test('a model of a hub is fine-tuned from the cache, without the network', async () => {
  const { command } = hubCache('vit', { [COMMIT]: 'hf-vit-sharded' });
  const fineTuned = (name: string): ReturnType<typeof cli> => {
    const paths = ['--data', data, '--out', join(folder.path, name), '--init-from', `hf:some/${name}`];
    return command('train', ...paths, ...SHORT, '--offline');
  };
  const run = await fineTuned('vit');
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /from +hf:some\/vit at c0ffee0, sha256 [0-9a-f]{12}\n/);
  const config = readFileSync(join(folder.path, 'vit', 'config.yaml'), 'utf8');
  assert.match(config, /init-from: hf:some\/vit\ninit-digest: [0-9a-f]{64}\ninit-commit: c0ffee0{34}\n/);
  const other = await fineTuned('other');
  assert.match(other.stderr, /HUB_NOT_CACHED: hf:some\/other is not in the cache/);
});

test('a run without a checkpoint begins again from the weights of then, though the hub has others by now', async () => {
  const { model, refer, command } = hubCache('moving', { [COMMIT]: 'hf-vit', [LATER]: 'hf-deit' });
  const begun = join(folder.path, 'begun');
  const first = join(folder.path, 'first');
  const from = ['--init-from', 'hf:some/moving', '--data', data];
  const whole = await command('train', ...from, '--out', first, ...SHORT);
  assert.equal(whole.code, 0, whole.stderr);
  mkdirSync(begun);
  cpSync(join(first, 'config.yaml'), join(begun, 'config.yaml'));
  refer(LATER);
  const again = await command('train', '--resume', begun);
  assert.equal(again.code, 0, again.stderr);
  const digestOf = async (run: string): Promise<string> =>
    (await command('digest', run)).stdout.trim().split(/\s/)[0]!;
  assert.equal(await digestOf(begun), await digestOf(first));
  // With a checkpoint it needs the weights no more.
  rmSync(join(model, 'snapshots', COMMIT), { recursive: true });
  const longer = await command('train', '--resume', begun, '--extend-to-epochs', '1');
  assert.equal(longer.code, 0, longer.stderr);
  rmSync(join(begun, 'checkpoints'), { recursive: true });
  const without = await command('train', '--resume', begun);
  assert.match(without.stderr, /HUB_NOT_CACHED: hf:some\/moving@c0ffee0+ is not in the cache/);
});

test('a run without a checkpoint does not begin again from weights that have changed', async () => {
  const weights = join(folder.path, 'weights');
  cpSync(join(FIXTURES, 'hf-vit'), weights, { recursive: true });
  const run = await train('changing', '--init-from', weights);
  assert.equal(run.code, 0, run.stderr);
  const out = join(folder.path, 'changing');
  rmSync(join(out, 'checkpoints'), { recursive: true });
  rmSync(join(out, 'journal'));
  const file = join(weights, 'model.safetensors');
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
  const again = await cli('train', '--resume', out);
  assert.notEqual(again.code, 0);
  assert.match(again.stderr, /WEIGHTS_CHANGED.*digest is [0-9a-f]{64}, and [0-9a-f]{64} was noted/);
});
