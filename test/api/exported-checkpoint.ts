/** A checkpoint that tests of exported models start from. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemHost } from '../../src/host/host.js';
import { KeyedRandom, PURPOSE } from '../../src/numbers/random/keyed-random.js';
import { initialWeights } from '../../src/nn/vit/initialisation.js';
import { writeCheckpoint } from '../../src/run/checkpoint/checkpoint-writer.js';
import { resolveConfig, type OptionValues } from '../../src/run/config/config.js';
import { checkpointState } from '../../src/run/folder/run-checkpoint.js';
import { initialRunState } from '../../src/run/journal/run-state.js';
import { modelSpec } from '../../src/run/model/model-spec.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';
import { temporaryFolder, writeDataset } from '../worker/data/temporary-files.js';

export const CLASSES = ['ant', 'bee', 'cat'];

/** Weights whose logits differ between images; a fresh head gives zeros. */
export function scatter(weights: Float32Array): void {
  const random = new KeyedRandom(5, PURPOSE.initialisation);
  for (let i = 0; i < weights.length; i++) weights[i]! += 0.05 * (random.uniform() - 0.5);
}

/** A checkpoint as a run leaves it, with the images of its run. */
export async function checkpointIn(
  context: TestContext,
  options: OptionValues = {},
  change: (weights: Float32Array) => void = () => undefined,
) {
  const dir = await temporaryFolder(context);
  const data = join(dir, 'data');
  await mkdir(data);
  await writeDataset(data, CLASSES, { train: 1, test: 3 });
  const own = { data, model: 'vit-micro/8', imageSize: 16 };
  const config = resolveConfig({ flags: Object.assign(own, options) });
  const spec = modelSpec(config.model, Object.assign({}, config, { classes: CLASSES.length }));
  const layout = parameterLayout(spec);
  const weights = initialWeights(spec, 'timm', 3);
  change(weights);
  const run = initialRunState(layout.slots.length);
  const state = checkpointState({ run, config, classes: CLASSES, manifestDigest: 'm', backend: 'wasm' });
  const content = { step: 0, layout, weights, slots: {}, state, metadata: {} };
  const path = await writeCheckpoint(systemHost, dir, content, async () => Promise.resolve());
  return { dir, data, path, weights, layout, out: join(dir, 'exported') };
}
