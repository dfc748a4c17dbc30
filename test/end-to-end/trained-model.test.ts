/** A checkpoint serves people on other machines than the one that trained it. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadKernels } from '../../src/kernels/addon.js';
import { cli, SMALL_RUN, smallDataset, temporaryFolder } from './cli-run.js';

const folder = temporaryFolder();
const runDir = join(folder.path, 'run');
let data = '';

before(async () => {
  data = await smallDataset(folder.path);
});

after(() => folder.remove());

async function train(...flags: string[]): ReturnType<typeof cli> {
  return cli('train', '--data', data, '--out', runDir, ...SMALL_RUN, '--precision', 'bf16', ...flags);
}

interface Figures {
  readonly images: number;
  readonly loss: number;
}

test('training in bf16 on a backend without it is refused by name', async () => {
  const { code, stderr } = await train('--backend', 'wasm');
  assert.notEqual(code, 0);
  assert.match(stderr, /PRECISION_UNSUPPORTED/);
});

test('a model trained in bf16 is evaluated in fp32 where the backend has nothing else, and says so', async (t) => {
  const native = loadKernels();
  if (native.kernels === undefined) {
    t.skip(native.reason);
    return;
  }
  const trained = await train('--backend', 'native', '--epochs', '1');
  assert.equal(trained.code, 0, trained.stderr);
  const figures: Figures[] = [];
  for (const backend of ['native', 'wasm']) {
    const result = await cli('evaluate', runDir, '--backend', backend, '--json');
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stderr.includes('fp32 is used'), backend === 'wasm', result.stderr);
    figures.push(JSON.parse(result.stdout) as Figures);
  }
  const [own, other] = figures;
  assert.equal(own!.images, other!.images);
  assert.ok(Math.abs(own!.loss - other!.loss) < 0.02 * own!.loss, `${own!.loss} and ${other!.loss}`);
});

test('a model with a class called train is evaluated on its data set and on a folder of class folders', async () => {
  const named = join(folder.path, 'named');
  const out = join(folder.path, 'named-run');
  for (const split of ['train', 'test']) {
    mkdirSync(join(named, split), { recursive: true });
    for (const [shape, name] of [
      ['star', 'train'],
      ['ring', 'test'],
    ] as const) {
      renameSync(join(data, split, shape), join(named, split, name));
    }
  }
  const run = await cli('train', '--data', named, '--out', out, ...SMALL_RUN, '--epochs', '1');
  assert.equal(run.code, 0, run.stderr);
  const images: number[] = [];
  for (const where of [[], ['--data', join(named, 'test')]]) {
    const result = await cli('evaluate', out, ...where, '--json');
    assert.equal(result.code, 0, result.stderr);
    images.push((JSON.parse(result.stdout) as Figures).images);
  }
  assert.deepEqual(images, [6, 6]);
  rmSync(named, { recursive: true });
  const gone = await cli('evaluate', join(out, 'checkpoints', 'step-00000001'));
  assert.match(gone.stderr, /RUN_DATA_MISSING.*named-run were in .*named,.*\n.*--data DIR/);
});
