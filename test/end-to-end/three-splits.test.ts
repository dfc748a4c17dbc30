/** Validation images choose the best; what the test images say of it is asked once, when the run is over. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, logLines, smallDataset, temporaryFolder } from './cli-run.js';

interface Figures {
  readonly loss: number;
  readonly accuracy: number;
  readonly samples: number;
}

interface Summary {
  readonly reason: string;
  readonly steps: number;
  readonly checkpoint: string;
  readonly val: Figures;
  readonly test: Figures;
  readonly best: { readonly step: number; readonly chosenBy: string; readonly test: Figures };
}

const RUN = [
  ...['--model', 'vit-micro/16', '--image-size', '32', '--batch', '16', '--micro-batch', '4', '--seed', '7'],
  ...['--epochs', '3', '--warmup-steps', '0', '--lr', '0.03', '--ema-decay', '0.5'],
];
const folder = temporaryFolder();
const out = join(folder.path, 'run');
let data = '';

before(async () => {
  data = await smallDataset(folder.path);
});

after(() => folder.remove());

async function evaluated(path: string): Promise<Omit<Figures, 'samples'>> {
  const { code, stdout, stderr } = await cli('evaluate', path, '--json');
  assert.equal(code, 0, stderr);
  const { loss, accuracy } = JSON.parse(stdout) as Figures;
  return { loss, accuracy };
}

test('a run with validation images tests its best and its last weights at its end', async () => {
  const args = ['--data', data, '--out', out, ...RUN, '--val-split', '0.3', '--workers', '2', '--json'];
  const run = await cli('train', ...args);
  assert.equal(run.code, 0, run.stderr);
  const summary = JSON.parse(run.stdout) as Summary;
  const { best, val, test: tested, steps, reason } = summary;
  assert.equal(reason, 'finished');
  assert.ok(best.step < steps, 'the best is an earlier checkpoint: workers have to be given it');
  assert.deepEqual([best.chosenBy, val.samples, tested.samples, best.test.samples], ['val', 16, 24, 24]);

  const figures = ({ loss, accuracy }: Figures) => ({ loss, accuracy });
  assert.deepEqual(await evaluated(out), figures(best.test));
  assert.deepEqual(await evaluated(summary.checkpoint), figures(tested));

  const epochs = logLines(out, 'epoch');
  assert.ok(epochs.every((line) => line['val'] !== undefined && line['test'] === undefined));
  const final = logLines(out, 'final-test').map(({ weights, step }) => [weights, step]);
  assert.deepEqual(final, [
    ['last', steps],
    ['best', best.step],
  ]);

  const again = await cli('train', '--resume', out, '--json');
  assert.deepEqual(JSON.parse(again.stdout), summary, 'nothing is tested twice');
});
