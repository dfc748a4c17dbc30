/** Training on a GPU's memory: sums, weights and moments there, shared memory brought up to date. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli, startCli } from './cli-run.js';
import { assertClose, GpuRuns, SHAPE } from './gpu-runs.js';

const runs = new GpuRuns();
const { skip } = runs;

test(
  'one worker and two on a GPU end with the same weights, and follow the losses of the processor',
  { skip },
  async () => {
    const flags = ['--steps', '2', '--ema-decay', '0.9'];
    const one = await runs.trained('one', ...flags, '--workers', '1');

    const args = ['coordinator', ...runs.argumentsOf('two', ...flags, '--workers', '2')];
    const coordinator = startCli(args);
    const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
    const workers = [
      startCli(['worker', '--coordinator', address]),
      startCli(['worker', '--coordinator', address]),
    ];
    const { code, stdout, stderr } = await coordinator.done;
    assert.equal(code, 0, stderr);
    for (const worker of workers) assert.equal((await worker.done).code, 0, 'a worker on a GPU ends well');
    assert.equal(runs.trainedAs('two', stdout).digest, one.digest);

    const processor = await runs.trained('processor', ...flags, '--devices', 'cpu', '--workers', '1');
    assert.notEqual(one.digest, processor.digest, 'the GPU was used');
    assertClose(one.losses, processor.losses, 1e-4);
  },
);

test('`vitrail devices` lists the GPU', { skip }, async () => {
  const { gpus } = JSON.parse((await cli('devices', '--json')).stdout) as { gpus: { usable: number[] } };
  assert.deepEqual(gpus.usable, [0]);
});

test('`vitrail tune` writes a table that a run takes, and a broken one is refused', { skip }, async () => {
  const table = join(runs.folder.path, 'products.json');
  const tuned = await cli('tune', ...SHAPE, '--micro-batch', '4', '--dropout', '0.1', '--out', table);
  assert.equal(tuned.code, 0, tuned.stderr);
  assert.match(tuned.stdout, /products of native/);
  await runs.trained('tuned', '--steps', '1', '--workers', '1', '--product-choices', table);
  const broken = await cli('train', ...runs.argumentsOf('broken', '--product-choices', runs.data));
  assert.notEqual(broken.code, 0);
  assert.match(broken.stderr, /PRODUCT_CHOICES_UNREADABLE/);
});

test('`--micro-batch auto` takes what fits the GPU, and is refused without one', { skip }, async () => {
  const flags = ['--micro-batch', 'auto', '--steps', '1'];
  const fitted = await cli('train', ...runs.argumentsOf('auto', ...flags), '--print-config');
  assert.equal(fitted.code, 0, fitted.stderr);
  assert.match(fitted.stdout, /^micro-batch: 16$/m);
  const none = await cli('train', ...runs.argumentsOf('no-gpu', ...flags), '--devices', 'cpu');
  assert.notEqual(none.code, 0);
  assert.match(none.stderr, /DEVICE_UNUSABLE/);
});

test('a micro-batch that does not fit is refused with the largest that would', { skip }, async (t) => {
  if (runs.given !== undefined) {
    t.skip('only the emulator has as much memory as one likes');
    return;
  }
  process.env['VITRAIL_EMULATED_BYTES'] = String(2 ** 24);
  t.after(() => delete process.env['VITRAIL_EMULATED_BYTES']);
  const out = join(runs.folder.path, 'never.json');
  const tooLarge = await cli('tune', ...SHAPE, '--micro-batch', '4096', '--out', out);
  assert.notEqual(tooLarge.code, 0);
  const refusal = /DEVICE_OUT_OF_MEMORY: a micro-batch of 4096 does not fit [^]*--micro-batch (\d+)/;
  const fits = Number(refusal.exec(tooLarge.stderr)?.[1]);
  assert.ok(fits > 1 && fits < 4096, tooLarge.stderr);

  // The weights are 1.26 MB, a pass and back of one image 0.34 MB more.
  process.env['VITRAIL_EMULATED_BYTES'] = '1400000';
  const refused = await cli(
    'train',
    ...runs.argumentsOf('small', '--micro-batch', 'auto', '--precision', 'fp32'),
  );
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /DEVICE_TOO_SMALL: .* even with one image at a time/);
  // One image fits, the moments and sums of its training do not.
  process.env['VITRAIL_EMULATED_BYTES'] = '7000000';
  const fitting = async (...more: string[]): Promise<number> =>
    (JSON.parse((await cli('fit', ...SHAPE, ...more)).stdout) as { microBatch: number }).microBatch;
  assert.equal(await fitting(), 0);
  assert.ok((await fitting('--optimizer', 'sgd')) > 0);
});
