/** A run is resumed by its folder alone: what it was started with is there, and only what changes no weight may differ. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test, type TestContext } from 'node:test';
import { resolveRunOptions } from '../../src/api/run-options.js';
import { withAbsolutePaths } from '../../src/api/resumed-run.js';
import { configToYaml } from '../../src/run/config/config-file.js';
import { resolveConfig, type OptionValues } from '../../src/run/config/config.js';

interface Started {
  readonly run: string;
  readonly data: string;
}

/** A run folder as a coordinator leaves it that was started with `values`. */
function started(t: TestContext, values: OptionValues = {}): Started {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-resume-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const run = join(folder, 'run');
  const data = join(folder, 'images');
  mkdirSync(run);
  mkdirSync(data);
  const flags = { data: relative(process.cwd(), data), out: relative(process.cwd(), run), ...values };
  writeFileSync(join(run, 'config.yaml'), configToYaml(withAbsolutePaths(resolveConfig({ flags }))));
  return { run, data };
}

test('the folder alone gives all that the run was started with', async (t) => {
  const { run, data } = started(t, { epochs: 7, lr: 0.002, workers: 3, model: 'vit-ti/16' });
  for (const values of [{ resume: run }, { resume: true, out: run }, { resume: `${run}/` }]) {
    const config = await resolveRunOptions(values);
    const { epochs, lr, workers, model, resume } = config;
    assert.deepEqual([epochs, lr, workers, model, resume], [7, 0.002, 3, 'vit-ti/16', true]);
    assert.equal(config.data, data, 'a path given relative to another folder');
  }
});

test('an option that changes no weight may be changed', async (t) => {
  const { run } = started(t, { workers: 3 });
  const config = await resolveRunOptions({ resume: run, workers: '1', listen: 'tcp://0.0.0.0:7070' });
  assert.deepEqual([config.workers, config.listen], [1, 'tcp://0.0.0.0:7070']);
});

for (const [values, key, stored, given] of [
  [{ lr: '0.5' }, 'lr', '0.001', '0.5'],
  // With others of the run they are no config at all: what was changed is what counts.
  [{ batch: '100' }, 'batch', '128', '100'],
  [{ earlyStopMetric: 'train-accuracy' }, 'early-stop-metric', 'val-loss', 'train-accuracy'],
  [{ preset: 'tutorial', model: 'vit-b/16' }, 'transform', 'paper', 'tutorial'],
] as const) {
  test(`${JSON.stringify(values)} is refused with both values`, async (t) => {
    const { run } = started(t);
    await assert.rejects(resolveRunOptions({ resume: run, ...values }), {
      code: 'RUN_CONFIG_CHANGED',
      message: new RegExp(`started with ${key} = ${stored}, now it is ${given}`),
    });
  });
}

test('another length is refused with the way to make a run longer', async (t) => {
  const { run } = started(t);
  for (const [values, key] of [
    [{ epochs: '60' }, 'epochs'],
    [{ steps: '60' }, 'steps'],
    [{ prolonged: '9:60' }, 'prolonged'],
  ] as const) {
    await assert.rejects(resolveRunOptions({ resume: run, ...values }), {
      code: 'RUN_LENGTH_CHANGED',
      message: new RegExp(`resume without --${key}; use --extend-to-epochs N to make a run longer`),
    });
  }
  assert.equal((await resolveRunOptions({ resume: run, extendToEpochs: '60' })).extendToEpochs, 60);
  await assert.rejects(resolveRunOptions({ data: '/photos', extendToEpochs: '60' }), {
    code: 'CONFIG_INVALID_VALUE',
    message: /"extend-to-epochs" is 60.*--resume RUN/,
  });
});

test('the same value in another spelling is no change', async (t) => {
  const { run } = started(t, { initFrom: 'other/run', lr: 0.002 });
  const config = await resolveRunOptions({
    resume: run,
    model: 'ViT-B/16',
    lr: '2e-3',
    initFrom: 'other/run',
  });
  assert.equal(config.initFrom, join(process.cwd(), 'other/run'));
});

test('images that are gone are named, and may be given where they are now', async (t) => {
  const { run, data } = started(t);
  rmSync(data, { recursive: true });
  await assert.rejects(resolveRunOptions({ resume: run }), {
    code: 'RUN_DATA_MISSING',
    message: new RegExp(`${run} were in ${data}.*--data DIR`),
  });
  assert.equal((await resolveRunOptions({ resume: run, data: '/mnt/images' })).data, '/mnt/images');
});

test('a folder without a run is refused, and so are two folders', async (t) => {
  const { run } = started(t);
  await assert.rejects(resolveRunOptions({ resume: `${run}/none` }), { code: 'RUN_NOT_FOUND' });
  await assert.rejects(resolveRunOptions({ resume: run, out: '/elsewhere' }), {
    code: 'CONFIG_INVALID_VALUE',
    message: /"out" is \/elsewhere: --resume names the run/,
  });
});

test('weights that only a file of options names give the shape of the model', async (t) => {
  const { run } = started(t);
  const file = join(run, 'options.yaml');
  writeFileSync(file, 'init-from: test/fixtures/interop/timm-vit\n');
  // A command line gives every option, most of them undefined.
  const config = await resolveRunOptions({ data: 'd', config: file, initFrom: undefined });
  assert.equal(config.model, 'vit-2x16x32x2/8');
});

test('a command that is given again needs the weights of its run no more, and keeps the commit', async (t) => {
  const initCommit = 'c'.repeat(40);
  const { run } = started(t, { initFrom: 'hf:some/gone', initCommit, model: 'vit-ti/16', mean: '0.1' });
  const config = await resolveRunOptions({ data: 'd', out: run, initFrom: 'hf:some/gone' });
  assert.deepEqual([config.initCommit, config.model, config.mean], [initCommit, 'vit-ti/16', '0.1,0.1,0.1']);
});
