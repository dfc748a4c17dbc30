/** A run notes what it starts from, and starts again from nothing else. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemHost } from '../../../src/host/host.js';
import { resolveConfig, type OptionValues } from '../../../src/run/config/config.js';
import { configToYaml } from '../../../src/run/config/config-file.js';
import { requireSameRun } from '../../../src/run/config/run-identity.js';
import { publishedOptions } from '../../../src/run/folder/published-options.js';
import { startingPoint, type StartingPoint } from '../../../src/run/folder/starting-point.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { withFolder } from '../../weights/weight-files.js';

const FIXTURES = 'test/fixtures/interop';
const NOBODY_ELSE = async (): Promise<void> => Promise.resolve();

async function startFrom(from: string, out: string, values: OptionValues = {}): Promise<StartingPoint> {
  const published = await publishedOptions(systemHost.disk, { from, commit: null, heads: null });
  const config = resolveConfig({ flags: { data: out, out, initFrom: from, ...values }, published });
  const empty = { samples: [], digest: 'd' };
  const manifest = { classes: ['a', 'b'], train: empty, val: empty, test: empty, digest: 'd' };
  const spec = modelSpec(config.model, { ...config, classes: manifest.classes.length });
  const layout = parameterLayout(spec);
  const input = { host: systemHost, config, manifest, spec, layout, check: NOBODY_ELSE };
  return startingPoint({ ...input, warn: () => undefined });
}

const digestOf = async (from: string): Promise<string | null> => (await startFrom(from, '/none')).initDigest;

test('the digest is of the model: its format does not count, and every value and class does', async () => {
  const npz = await digestOf(join(FIXTURES, 'jax-npz/model.npz'));
  assert.match(npz!, /^[0-9a-f]{64}$/);
  assert.equal(await digestOf(join(FIXTURES, 'jax-npz-packed/model.npz')), npz);
  await withFolder(async (folder) => {
    cpSync(join(FIXTURES, 'hf-vit'), folder, { recursive: true });
    const before = await digestOf(folder);
    const file = join(folder, 'config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...config, id2label: 'a b c d e f g'.split(' ') }));
    const renamed = await digestOf(folder);
    const weights = join(folder, 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(weights, bytes);
    assert.equal(new Set([npz, before, renamed, await digestOf(folder)]).size, 4);
  });
});

test('a run that begins again from the same weights has the same start, and one from others is refused with both digests', async () => {
  await withFolder(async (folder) => {
    const weights = join(folder, 'model.safetensors');
    cpSync(join(FIXTURES, 'hf-vit/model.safetensors'), weights);
    const first = await startFrom(weights, folder);
    writeFileSync(join(folder, 'config.yaml'), '');
    const resumed = { resume: true, initDigest: first.initDigest };
    const again = await startFrom(weights, folder, resumed);
    assert.deepEqual(again.parts.get('weights'), first.parts.get('weights'));
    cpSync(join(FIXTURES, 'hf-deit-teacher/model.safetensors'), weights);
    const other = await digestOf(weights);
    await assert.rejects(startFrom(weights, folder, resumed), {
      code: 'WEIGHTS_CHANGED',
      message: new RegExp(`their digest is ${other}, and ${first.initDigest} was noted.*another --out`),
    });
    rmSync(weights);
  });
});

test('a run of an older version, which noted no digest, notes the one that it finds', async () => {
  await withFolder(async (folder) => {
    writeFileSync(join(folder, 'config.yaml'), '');
    const start = await startFrom(join(FIXTURES, 'hf-vit'), folder, { resume: true });
    assert.equal(start.initDigest, await digestOf(join(FIXTURES, 'hf-vit')));
  });
});

const config = (values: OptionValues, file: OptionValues = {}) =>
  resolveConfig({ flags: { data: 'd', ...values }, file: { preset: null, values: file } });
const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)] as const;

test('two digests are two runs, and a command that does not say it is of the run', () => {
  const stored = config({ initFrom: '/w', initDigest: ONE });
  requireSameRun('/run', stored, config({ initFrom: '/w' }));
  requireSameRun('/run', config({ initFrom: '/w' }), stored);
  assert.throws(() => requireSameRun('/run', stored, config({ initFrom: '/w', initDigest: TWO })), {
    code: 'RUN_CONFIG_CHANGED',
  });
});

test('what a file notes of its weights holds for these weights alone', () => {
  const commit = 'c'.repeat(40);
  const file = { initFrom: 'hf:a/b', initDigest: ONE, initCommit: commit };
  const noted = (values: OptionValues) => {
    const { initFrom, initDigest, initCommit } = config(values, file);
    return [initFrom, initDigest, initCommit];
  };
  assert.deepEqual(noted({}), ['hf:a/b', ONE, commit]);
  assert.deepEqual(noted({ initFrom: 'hf:a/b' }), ['hf:a/b', ONE, commit]);
  assert.deepEqual(noted({ initFrom: '/other' }), ['/other', null, null]);
  assert.deepEqual(noted({ initFrom: '/other', initDigest: TWO }), ['/other', TWO, null]);
  assert.match(
    configToYaml(config({}, file)),
    new RegExp(`init-digest: "?${ONE}"?\ninit-commit: ${commit}\n`),
  );
  assert.throws(() => config({ initDigest: 'x' }), { code: 'CONFIG_INVALID_VALUE', message: /init-digest/ });
});
