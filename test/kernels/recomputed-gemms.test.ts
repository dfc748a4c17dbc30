/** What recomputing asks a GPU's library for; on the emulator where it is built, or on the addon VITRAIL_CUDA names. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { batchOf, engineWith, liveWeights } from '../nn/training-setup.js';

process.env['VITRAIL_CUDA'] ??= resolve('native/build/vitrail-emulated.node');
const skip = existsSync(process.env['VITRAIL_CUDA']) ? false : 'the emulator is not built';

/** Gemms of a training micro-batch. A library may choose another algorithm, and other bits, for another one. */
async function gemmsOf(recompute: boolean): Promise<string[]> {
  const engine = await engineWith({ backend: 'native', gpu: 0, precision: 'bf16', recompute });
  const kernels = engine.gpu!;
  const before = kernels.configure({ gemm: 'library' });
  kernels.setGemmChoices({ choices: [] });
  try {
    engine.loadWeights(liveWeights());
    await engine.trainMicroBatch(batchOf(4), { step: 0, microBatch: 0 }, () => undefined);
    return kernels.gemmChoices().map(({ key }) => key);
  } finally {
    kernels.setGemmChoices({ choices: [] });
    kernels.configure(before);
    engine.dispose();
  }
}

test('with recomputed activations a GPU’s library is asked for the same products', { skip }, async () => {
  const products = await gemmsOf(false);
  assert.ok(products.some((key) => key.includes('gelu')));
  assert.deepEqual(await gemmsOf(true), products);
});
