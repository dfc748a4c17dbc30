/**
 * Training on a GPU's memory: sums, weights and moments there, shared memory brought up to date. Runs on the emulator
 * where it is built (native/build/vitrail-emulated.node), or on the addon that VITRAIL_CUDA names.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, logLines, smallDataset, startCli, temporaryFolder } from './cli-run.js';

const EMULATED = resolve('native/build/vitrail-emulated.node');
const given = process.env['VITRAIL_CUDA'];
const skip = given === undefined && !existsSync(EMULATED) ? 'the emulator is not built' : false;
const folder = temporaryFolder();
let data = '';

before(async () => {
  process.env['VITRAIL_CUDA'] = given ?? EMULATED;
  data = await smallDataset(folder.path);
});

after(() => folder.remove());

const RUN = [
  ...[
    '--model',
    'vit-micro/16',
    '--image-size',
    '32',
    '--dropout',
    '0.1',
    '--transform',
    'paper',
    '--seed',
    '7',
  ],
  ...['--batch', '16', '--micro-batch', '4', '--warmup-steps', '2', '--lr', '0.001', '--backend', 'native'],
];

interface Summary {
  readonly weightDigest: string;
}

async function trained(name: string, ...flags: string[]): Promise<{ digest: string; losses: number[] }> {
  const out = join(folder.path, name);
  const { code, stdout, stderr } = await cli(
    'train',
    '--data',
    data,
    '--out',
    out,
    '--json',
    ...RUN,
    ...flags,
  );
  assert.equal(code, 0, stderr);
  const losses = logLines(out, 'step').map((line) => line['loss'] as number);
  return { digest: (JSON.parse(stdout) as Summary).weightDigest, losses };
}

test(
  'one worker and two on a GPU end with the same weights, straight through or resumed',
  { skip },
  async () => {
    const flags = ['--schedule', 'constant', '--ema-decay', '0.9'];
    const { digest } = await trained('one', ...flags, '--steps', '4', '--workers', '1');
    assert.equal((await trained('two', ...flags, '--steps', '4', '--workers', '2')).digest, digest);
    await trained('half', ...flags, '--steps', '2', '--workers', '2');
    const resumed = await trained(
      'half',
      ...flags,
      '--steps',
      '2',
      '--extend-to-epochs',
      '1',
      '--workers',
      '1',
      '--resume',
    );
    assert.equal(resumed.digest, digest);
  },
);

for (const precision of ['fp32', 'bf16']) {
  test(`a worker on a GPU ends well when its run does (${precision})`, { skip }, async () => {
    const out = join(folder.path, `alone-${precision}`);
    const flags = ['--steps', '1', '--precision', precision, '--workers', '1'];
    const coordinator = startCli(['coordinator', '--data', data, '--out', out, ...RUN, ...flags]);
    const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
    const { code, stderr } = await cli('worker', '--coordinator', address);
    assert.equal((await coordinator.done).code, 0);
    assert.equal(code, 0, stderr);
  });

  test(`losses on a GPU follow those of the processor (${precision})`, { skip }, async () => {
    const flags = ['--epochs', '1', '--precision', precision];
    const gpu = await trained(`gpu-${precision}`, ...flags);
    const processor = await trained(`processor-${precision}`, ...flags, '--devices', 'cpu');
    assert.notEqual(gpu.digest, processor.digest, 'the GPU was used');
    assert.equal(gpu.losses.length, processor.losses.length);
    const tolerance = precision === 'fp32' ? 1e-4 : 2e-2;
    for (const [step, loss] of gpu.losses.entries()) {
      const expected = processor.losses[step]!;
      assert.ok(Math.abs(loss - expected) < tolerance * expected, `step ${step}: ${loss} and ${expected}`);
    }
  });
}

test('`vitrail devices` lists the GPU, and its absence with the reason', { skip }, async () => {
  const here = await cli('devices', '--json');
  const { gpus } = JSON.parse(here.stdout) as { gpus: { usable: number[] } };
  assert.deepEqual(gpus.usable, [0]);
  process.env['VITRAIL_CUDA'] = join(folder.path, 'none.node');
  const none = await cli('devices');
  process.env['VITRAIL_CUDA'] = given ?? EMULATED;
  assert.equal(none.code, 0);
  assert.match(none.stdout, /cuda {4}none: the CUDA kernels are not built/);
});

test('`vitrail tune` writes a table that a run takes, and a broken one is refused', { skip }, async () => {
  const table = join(folder.path, 'products.json');
  const shape = ['--model', 'vit-micro/16', '--image-size', '32', '--micro-batch', '4', '--dropout', '0.1'];
  const tuned = await cli('tune', ...shape, '--precision', 'fp32', '--out', table);
  assert.equal(tuned.code, 0, tuned.stderr);
  assert.match(tuned.stdout, /products of native/);
  await trained('tuned', '--steps', '1', '--product-choices', table);
  const broken = await cli(
    'train',
    '--data',
    data,
    '--out',
    join(folder.path, 'broken'),
    ...RUN,
    '--product-choices',
    data,
  );
  assert.notEqual(broken.code, 0);
  assert.match(broken.stderr, /PRODUCT_CHOICES_UNREADABLE/);
});

test('`--micro-batch auto` takes what fits the GPU, and is refused without one', { skip }, async () => {
  const out = join(folder.path, 'auto');
  const flags = ['train', '--data', data, '--out', out, ...RUN, '--micro-batch', 'auto', '--steps', '1'];
  const fitted = await cli(...flags);
  assert.equal(fitted.code, 0, fitted.stderr);
  assert.match(fitted.stderr, /micro-batch 16: the largest power of two that fits cuda:0/);
  const shown = await cli(...flags, '--print-config');
  assert.match(shown.stdout, /^micro-batch: 16$/m);
  const none = await cli(
    ...flags.slice(0, 3),
    '--out',
    join(folder.path, 'no-gpu'),
    ...flags.slice(5),
    '--devices',
    'cpu',
  );
  assert.notEqual(none.code, 0);
  assert.match(none.stderr, /DEVICE_UNUSABLE/);
});

test('a micro-batch that does not fit is refused with the largest that would', { skip }, async (t) => {
  if (given !== undefined) {
    t.skip('only the emulator has as much memory as one likes');
    return;
  }
  process.env['VITRAIL_EMULATED_BYTES'] = String(2 ** 24);
  t.after(() => delete process.env['VITRAIL_EMULATED_BYTES']);
  const shape = ['--model', 'vit-micro/16', '--image-size', '32', '--precision', 'fp32'];
  const out = join(folder.path, 'never.json');
  const tooLarge = await cli('tune', ...shape, '--micro-batch', '4096', '--out', out);
  assert.notEqual(tooLarge.code, 0);
  const refusal = /DEVICE_OUT_OF_MEMORY: .* micro-batch of 4096: out of memory[^]*--micro-batch (\d+)/;
  const fits = Number(refusal.exec(tooLarge.stderr)?.[1]);
  assert.ok(fits > 1 && fits < 4096, tooLarge.stderr);

  // The weights are 1.26 MB, a pass and back of one image 0.34 MB more.
  for (const bytes of ['1000000', '1400000']) {
    process.env['VITRAIL_EMULATED_BYTES'] = bytes;
    const none = await cli('tune', ...shape, '--micro-batch', '2', '--out', out);
    assert.equal(none.code, 1, none.stderr);
    assert.match(none.stderr, /DEVICE_TOO_SMALL: .* even with one image at a time: out of memory/);
    const auto = ['train', '--data', data, '--out', join(folder.path, 'small'), ...RUN];
    const refused = await cli(...auto, '--micro-batch', 'auto', '--precision', 'fp32');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /DEVICE_TOO_SMALL/);
  }
  // One image fits, the moments and sums of its training do not.
  process.env['VITRAIL_EMULATED_BYTES'] = '7000000';
  const fitting = async (...more: string[]): Promise<number> =>
    (JSON.parse((await cli('fit', ...shape, ...more)).stdout) as { microBatch: number }).microBatch;
  assert.equal(await fitting(), 0);
  assert.equal(await fitting('--optimizer', 'adamw', '--ema-decay', '0.9'), 0);
  assert.ok((await fitting('--optimizer', 'sgd')) > 0);
});
