/** Models of timm, Hugging Face, torchvision and vit_jax compute here what they compute there. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { agreementOf, expectedOf, modelFolders } from '../../bench/interop/agreement.js';

/** Saved by the libraries' own code: bench/interop/make_models.py. */
const FOLDER = 'test/fixtures/interop';
const TOLERANCE = 1e-5;

for (const name of modelFolders(FOLDER)) {
  const folder = join(FOLDER, name);
  test(`${expectedOf(folder).architecture} (${name}) gives its library's logits at two resolutions`, async () => {
    const { native, other } = await agreementOf(folder);
    assert.ok(native < TOLERANCE, `relative error ${native} at the resolution of the weights`);
    assert.ok(other < TOLERANCE, `relative error ${other} at another resolution`);
  });
}
