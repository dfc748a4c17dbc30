/** Models of timm, Hugging Face, torchvision and vit_jax compute here what they compute there. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { VitrailError } from '../../src/errors/errors.js';
import { agreementOf, expectedOf, modelFolders, type Agreement } from '../../bench/interop/agreement.js';

/** Saved by the libraries' own code: bench/interop/make_models.py. */
const FOLDER = 'test/fixtures/interop';
const TOLERANCE = 1e-5;

/** Null for a model with a feature that the network refuses by name. */
async function agreementIfComputed(folder: string): Promise<Agreement | null> {
  try {
    return await agreementOf(folder);
  } catch (error) {
    if (error instanceof VitrailError && error.code === 'MODEL_FEATURE_MISSING') return null;
    throw error;
  }
}

for (const name of modelFolders(FOLDER)) {
  const folder = join(FOLDER, name);
  test(`${expectedOf(folder).architecture} (${name}) gives its library's logits at two resolutions`, async (t) => {
    const agreement = await agreementIfComputed(folder);
    if (agreement === null) {
      t.skip('a feature of it is refused by name');
      return;
    }
    const { native, other } = agreement;
    assert.ok(native < TOLERANCE, `relative error ${native} at the resolution of the weights`);
    assert.ok(other < TOLERANCE, `relative error ${other} at another resolution`);
  });
}
