/** Training on a GPU's memory in bf16 and across a resumption, and GPUs of all sizes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cli } from '../end-to-end/cli-run.js';
import { assertClose, GpuRuns, SHAPE } from '../end-to-end/gpu-runs.js';

const runs = new GpuRuns();
const { skip } = runs;

test('a run on a GPU that is resumed ends with the weights of one that was not', { skip }, async () => {
  const flags = ['--schedule', 'constant', '--ema-decay', '0.9'];
  const { digest } = await runs.trained('straight', ...flags, '--steps', '4', '--workers', '1');
  await runs.trained('half', ...flags, '--steps', '2', '--workers', '2');
  const more = ['--steps', '2', '--extend-to-epochs', '2', '--workers', '1', '--resume'];
  assert.equal((await runs.trained('half', ...flags, ...more)).digest, digest);
});

for (const [precision, tolerance] of [
  ['fp32', 1e-4],
  ['bf16', 2e-2],
] as const) {
  test(`losses of an epoch on a GPU follow those of the processor (${precision})`, { skip }, async () => {
    const flags = ['--epochs', '1', '--precision', precision];
    const gpu = await runs.trained(`gpu-${precision}`, ...flags);
    const processor = await runs.trained(`processor-${precision}`, ...flags, '--devices', 'cpu');
    assert.notEqual(gpu.digest, processor.digest, 'the GPU was used');
    assertClose(gpu.losses, processor.losses, tolerance);
  });
}

test('a GPU that is too small for one image is refused by every command', { skip }, async (t) => {
  if (runs.given !== undefined) {
    t.skip('only the emulator has as much memory as one likes');
    return;
  }
  t.after(() => delete process.env['VITRAIL_EMULATED_BYTES']);
  const out = join(runs.folder.path, 'never.json');
  for (const bytes of ['1000000', '1400000']) {
    process.env['VITRAIL_EMULATED_BYTES'] = bytes;
    const none = await cli('tune', ...SHAPE, '--micro-batch', '2', '--out', out);
    assert.equal(none.code, 1, none.stderr);
    assert.match(none.stderr, /DEVICE_TOO_SMALL: .* even with one image at a time: out of memory/);
    const auto = runs.argumentsOf('small', '--micro-batch', 'auto', '--precision', 'fp32');
    const refused = await cli('train', ...auto);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /DEVICE_TOO_SMALL/);
  }
  process.env['VITRAIL_EMULATED_BYTES'] = '7000000';
  const fitted = await cli('fit', ...SHAPE, '--optimizer', 'adamw', '--ema-decay', '0.9');
  assert.equal((JSON.parse(fitted.stdout) as { microBatch: number }).microBatch, 0);
});
