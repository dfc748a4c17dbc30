/** A checkpoint serves people on other machines than the one that trained it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadKernels } from '../../src/worker/engine/native/addon.js';
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
    const result = await cli('evaluate', runDir, '--data', data, '--backend', backend, '--json');
    assert.equal(result.code, 0, result.stderr);
    assert.equal(result.stderr.includes('fp32 is used'), backend === 'wasm', result.stderr);
    figures.push(JSON.parse(result.stdout) as Figures);
  }
  const [own, other] = figures;
  assert.equal(own!.images, other!.images);
  assert.ok(Math.abs(own!.loss - other!.loss) < 0.02 * own!.loss, `${own!.loss} and ${other!.loss}`);
});
