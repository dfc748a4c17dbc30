/** What was probably meant: typing errors, and the names of other tools for options and models. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgram } from '../../../src/cli/program.js';
import { suggestion } from '../../../src/cli/suggestions.js';
import { kebab } from '../../../src/run/config/kebab-case.js';
import { nearestOption, OPTION_KEYS } from '../../../src/run/config/option-name.js';
import { suggestedModel } from '../../../src/run/model/model-names.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { editDistance, nearestName } from '../../../src/errors/name-distance.js';

test('the edit distance counts insertions, deletions and replacements', () => {
  for (const [a, b, distance] of [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['batch', 'bacth', 2],
    ['lr', 'lr', 0],
  ] as const) {
    assert.equal(editDistance(a, b), distance);
    assert.equal(editDistance(b, a), distance);
  }
});

test('of no names none is the nearest', () => {
  assert.equal(nearestName('x', []), '');
});

/** By torchrun, PyTorch's examples, timm, Lightning and Transformers. */
const OTHER_TOOLS = [
  ['learning-rate', 'lr'],
  ['batch-size', 'batch'],
  ['per_device_train_batch_size', 'micro-batch'],
  ['num-epochs', 'epochs'],
  ['max_epochs', 'epochs'],
  ['output', 'out'],
  ['output_dir', 'out'],
  ['num-workers', 'workers'],
  ['nproc-per-node', 'workers'],
  ['wd', 'weight-decay'],
  ['opt', 'optimizer'],
  ['img-size', 'image-size'],
  ['clip-grad', 'clip-norm'],
  ['drop', 'dropout'],
  ['smoothing', 'label-smoothing'],
  ['model-ema-decay', 'ema-decay'],
  ['pretrained', 'init-from'],
  ['amp', 'precision'],
  ['arch', 'model'],
  ['data-path', 'data'],
] as const;

test("another tool's name for an option names ours, as a key and as a flag", async () => {
  const program = await createProgram(['train']);
  const train = program.commands.find((command) => command.name() === 'train')!;
  const flags = train.options.flatMap(({ long }) => long?.slice(2) ?? []);
  for (const [theirs, ours] of OTHER_TOOLS) {
    assert.equal(nearestOption(theirs), ours);
    assert.equal(suggestion(`error: unknown option '--${theirs}'`, flags, []), `--${ours}`);
  }
});

test('an option of ours is its own nearest name', () => {
  for (const key of OPTION_KEYS) assert.equal(nearestOption(kebab(key)), kebab(key));
});

test('typing errors in flags and commands are seen, and what is near nothing gets no suggestion', () => {
  const flags = ['batch', 'data', 'out', 'exclude'];
  assert.equal(suggestion("error: unknown option '--bacth=64'", flags, []), '--batch');
  assert.equal(suggestion("error: unknown option '--dataset'", ['data', 'top'], []), '--data');
  assert.equal(suggestion("error: unknown option '--learning-rate'", ['data'], []), null);
  assert.equal(suggestion("error: unknown option '--zzzzzzzz'", flags, []), null);
  assert.equal(suggestion("error: unknown command 'trian'", [], ['train', 'demo']), 'train');
  assert.equal(suggestion("error: missing required argument 'run'", flags, ['train']), null);
});

/** torchvision, timm, open_clip, DINOv2 and Transformers, and ours with a mistake. */
const MODELS = [
  ['vit_tiny_patch16_224', 'vit-ti/16'],
  ['vit_base_patch16_224.augreg_in21k', 'vit-b/16'],
  ['vit_base_patch32_384', 'vit-b/32'],
  ['vit_large_patch14_clip_224.openai', 'vit-l/14'],
  ['vit_huge_patch14_224', 'vit-h/14'],
  ['deit_small_patch16_224', 'vit-s/16'],
  ['facebook/deit-tiny-patch16-224', 'vit-ti/16'],
  ['google/vit-base-patch16-224', 'vit-b/16'],
  ['google/vit-large-patch32-384', 'vit-l/32'],
  ['vit_b_16', 'vit-b/16'],
  ['ViT_L_32_Weights.IMAGENET1K_V1', 'vit-l/32'],
  ['ViT-B_16', 'vit-b/16'],
  ['ViT-B-32', 'vit-b/32'],
  ['dinov2_vitb14', 'vit-b/14'],
  ['vit-tiny/16', 'vit-ti/16'],
  ['vit-tny/16', 'vit-ti/16'],
  ['vit-base', 'vit-b/16'],
  ['vit-huge', 'vit-h/14'],
  ['vit-micro', 'vit-micro/8'],
  ['vit-b/0', 'vit-b/16'],
  ['B16', 'vit-b/16'],
  ['resnet50', 'vit-b/16'],
  ['', 'vit-b/16'],
] as const;

test("another library's name of a model names ours", () => {
  for (const [theirs, ours] of MODELS) {
    assert.equal(suggestedModel(theirs), ours, theirs);
    const [size, patch] = ours.split('/');
    assert.equal(modelSpec(`${size}/${patch}`, { imageSize: Number(patch) * 2, classes: 2 }).name, ours);
    assert.throws(() => modelSpec(theirs, { imageSize: 224, classes: 2 }), {
      code: 'MODEL_UNKNOWN',
      message: new RegExp(`did you mean ${ours}\\?`),
    });
  }
});
