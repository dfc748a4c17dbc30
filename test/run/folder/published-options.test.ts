/** What files beside published weights say of images becomes options of the run. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { publishedOptions } from '../../../src/run/folder/published-options.js';

test('model, features and preprocessing of a folder of Hugging Face become options', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-published-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync('test/fixtures/interop/hf-dinov2', folder, { recursive: true });
  const preprocessor = {
    image_processor_type: 'BitImageProcessor',
    do_resize: true,
    do_center_crop: true,
    do_rescale: true,
    do_normalize: true,
    size: { shortest_edge: 48 },
    crop_size: { height: 42, width: 42 },
    resample: 3,
    rescale_factor: 1 / 255,
    image_mean: [0.485, 0.456, 0.406],
    image_std: [0.229, 0.224, 0.225],
  };
  writeFileSync(join(folder, 'preprocessor_config.json'), JSON.stringify(preprocessor));
  const options = await publishedOptions(nodeDisk, { from: folder, commit: null, heads: null });
  assert.equal(options.model, 'vit-2x16x32x2/14');
  assert.equal(options.pooling, 'class-token-and-average');
  assert.equal(options.mean, '0.485,0.456,0.406');
  assert.equal(options.interpolation, 'bicubic');
  assert.equal(options.imageSize, 42);
  assert.equal(options.cropFraction, 42 / 48);
});

test('an older config.json of timm has what it says of images at the top, and one that says nothing decides nothing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-published-'));
  t.after(() => rmSync(folder, { recursive: true }));
  cpSync('test/fixtures/interop/timm-vit', folder, { recursive: true });
  assert.equal(
    (await publishedOptions(nodeDisk, { from: folder, commit: null, heads: null })).mean,
    undefined,
  );
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, input_size: [3, 32, 32], crop_pct: 0.5, std: [1, 2, 3] }));
  const options = await publishedOptions(nodeDisk, { from: folder, commit: null, heads: null });
  assert.deepEqual([options.cropFraction, options.std], [0.5, '1,2,3']);
  assert.deepEqual([options.mean, options.interpolation], ['0.485,0.456,0.406', 'bicubic']);
});
