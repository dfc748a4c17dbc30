/** Pixels become the same input of the model wherever they are cut into patches. */
import assert from 'node:assert/strict';
import { pixelScale } from '../../src/run/model/patches.js';
import { patchesOf } from '../../src/nn/model-input.js';
import { testOnBackends } from './tested-backends.js';
import { engineWith, liveWeights, SPEC, stepOf } from './training-setup.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';

const PARAMETERS = parameterLayout(SPEC).length;
const IMAGES = 3;
const labels = Int32Array.of(0, 3, 1);
const pixels = {
  pixels: Uint8Array.from(
    { length: IMAGES * SPEC.imageSize * SPEC.imageSize * 3 },
    (_, i) => (i * 7919 + (i >> 5)) % 256,
  ),
  flips: Uint8Array.of(0, 1, 0),
};

for (const [transform, mean, std] of [
  ['paper', null, null],
  ['tutorial', null, null],
  ['paper', '0.485,0.456,0.406', '0.229,0.224,0.225'],
] as const) {
  testOnBackends(
    `${transform}, mean ${mean}: pixels and the patches made of them give the same losses and gradients`,
    async (backend) => {
      const engine = await engineWith({ backend, transform, mean, std });
      engine.loadWeights(liveWeights());
      const patches = patchesOf(pixels, SPEC, pixelScale({ transform, mean, std }));
      const fromPixels = await stepOf(engine, { ...pixels, labels }, PARAMETERS);
      assert.deepEqual(await stepOf(engine, { patches, labels }, PARAMETERS), fromPixels);
      const straight = { pixels: pixels.pixels, flips: new Uint8Array(IMAGES) };
      const unflipped = await stepOf(engine, { ...straight, labels }, PARAMETERS);
      assert.notDeepEqual(unflipped, fromPixels, 'a flip changes something');
      engine.dispose();
    },
  );
}

testOnBackends('pixels that are no whole images are refused', async (backend) => {
  const engine = await engineWith({ backend });
  engine.loadWeights(liveWeights());
  const short = { pixels: pixels.pixels.subarray(1), flips: pixels.flips };
  const lacking = { pixels: pixels.pixels, flips: pixels.flips.subarray(1) };
  for (const input of [short, lacking]) {
    await assert.rejects(async () => engine.predict(input), {
      code: 'INTERNAL',
      message: /pixels and \d flips/,
    });
  }
  await assert.rejects(async () => stepOf(engine, { ...pixels, labels: labels.subarray(1) }, PARAMETERS), {
    code: 'INTERNAL',
    message: /2 labels for 3 images/,
  });
  engine.dispose();
});
