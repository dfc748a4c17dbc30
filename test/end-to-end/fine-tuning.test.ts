/** Fine-tuning with frozen blocks, rates of layers and drop path: the same weights whatever happens to the workers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../src/host/disk.js';
import { readSafetensorsHeader, readTensors } from '../../src/run/checkpoint/safetensors.js';
import { cli, logLines, startCli } from './cli-run.js';
import { summaryOf, TrainedRuns } from './trained-runs.js';

let source = '';
const runs = new TrainedRuns(async () => {
  await runs.trained('source', '--workers', '1', '--steps', '3');
  source = runs.runDir('source');
});

const TUNED = ['--layer-decay', '0.75', '--head-lr', '0.01', '--drop-path', '0.3', '--ema-decay', '0.9'];

function newest(name: string): string {
  return (logLines(runs.runDir(name), 'checkpoint').at(-1) as { path: string }).path;
}

/** The values of a checkpoint's tensors, as texts. */
async function valuesOf(name: string): Promise<Map<string, string>> {
  const file = join(newest(name), 'weights.safetensors');
  const { tensors } = await readSafetensorsHeader(nodeDisk, file);
  const values = new Map(
    tensors.map((tensor) => {
      const length = tensor.shape.reduce((product, side) => product * side, 1);
      return [tensor.name, new Float32Array(length)] as const;
    }),
  );
  await readTensors(nodeDisk, file, (tensor) => values.get(tensor.name) ?? null);
  return new Map([...values].map(([key, array]) => [key, Buffer.from(array.buffer).toString('base64')]));
}

for (const freeze of ['2', 'backbone']) {
  test(`with ${freeze} frozen: one and three workers and a resumed run end alike, and what is frozen keeps its bits`, async () => {
    const flags = ['--init-from', source, '--freeze', freeze, ...TUNED];
    const { weightDigest, steps } = await runs.trained(`${freeze}-one`, '--workers', '1', ...flags);
    const three = await runs.trained(`${freeze}-three`, '--workers', '3', ...flags);
    assert.equal(three.weightDigest, weightDigest);

    const before = await valuesOf('source');
    const after = await valuesOf(`${freeze}-one`);
    for (const [name, values] of after) {
      const frozen =
        freeze === 'backbone' ? !name.startsWith('head.') : !/^(blocks\.[23]|norm|head)\./.test(name);
      // Biases of keys have a gradient of zero, and one that is not decayed stays.
      if (frozen) assert.equal(values, before.get(name), name);
      else if (name.endsWith('.weight')) assert.notEqual(values, before.get(name), name);
    }
    const { tensors } = await readSafetensorsHeader(
      nodeDisk,
      join(newest(`${freeze}-one`), 'optimizer.safetensors'),
    );
    const moments = tensors.filter(({ name }) => !name.startsWith('ema.')).map(({ name }) => name);
    assert.ok(moments.includes('exp_avg.head.weight') && !moments.some((name) => name.includes('blocks.1.')));

    const half = runs.argumentsOf(
      `${freeze}-half`,
      '--workers',
      '2',
      ...flags,
      '--checkpoint-every-steps',
      '2',
    );
    const killed = startCli(['train', ...half], { VITRAIL_FAULTS: 'after-commit@5:kill' });
    await killed.done;
    assert.equal(killed.child.signalCode, 'SIGKILL');
    const resumed = await summaryOf('--resume', runs.runDir(`${freeze}-half`), '--json');
    assert.equal(resumed.weightDigest, weightDigest);
    assert.ok(steps > 3);
  });
}

test('a linear probe whose features are kept ends with the weights of one that computes them anew, on one and three workers and after a death', async () => {
  const flags = ['--init-from', source, '--freeze', 'backbone', '--no-augment', '--dropout', '0'];
  const { weightDigest } = await runs.trained('anew', '--workers', '1', ...flags);
  for (const workers of ['1', '3']) {
    const kept = await runs.trained(`kept-${workers}`, '--workers', workers, '--cache-features', ...flags);
    assert.equal(kept.weightDigest, weightDigest);
  }
  const half = runs.argumentsOf('kept-half', '--workers', '2', '--cache-features', ...flags);
  const killed = startCli(['train', ...half, '--checkpoint-every-steps', '2'], {
    VITRAIL_FAULTS: 'after-commit@5:kill',
  });
  await killed.done;
  assert.equal(killed.child.signalCode, 'SIGKILL');
  const resumed = await summaryOf('--resume', runs.runDir('kept-half'), '--json');
  assert.equal(resumed.weightDigest, weightDigest);
});

test('features are not kept where something changes them', async () => {
  const flags = ['--init-from', source, '--freeze', 'backbone', '--cache-features'];
  const { code, stderr } = await cli('train', ...runs.argumentsOf('changing', ...flags));
  assert.equal(code, 1);
  assert.match(stderr, /CONFIG_INVALID_VALUE.*cache-features.*augment.*--no-augment/s);
});

test('what cannot be frozen is refused with what can', async () => {
  const { code, stderr } = await cli('train', ...runs.argumentsOf('refused', '--freeze', '9'));
  assert.equal(code, 1);
  assert.match(stderr, /CONFIG_INVALID_VALUE.*freeze.*from 1 to 4/s);
});
