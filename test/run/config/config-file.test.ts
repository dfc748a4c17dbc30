/** YAML in and out: keys are the flags' names, and what is stored resolves to the same configuration. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { configToYaml, parseConfigText, readConfigFile } from '../../../src/run/config/config-file.js';
import { resolveConfig } from '../../../src/run/config/config.js';
import { PRESETS } from '../../../src/run/config/presets.js';

test('options, presets and comments are read', () => {
  const text =
    '# a run\npreset: tutorial\nimage-size: 32\nlr: 1e-3\nresume: true\nsteps: null\ndata: /photos\n';
  const file = parseConfigText(text, 'run.yaml');
  assert.equal(file.preset, 'tutorial');
  assert.deepEqual(file.values, { imageSize: 32, lr: 1e-3, resume: true, steps: null, data: '/photos' });
  assert.equal(resolveConfig({ file }).imageSize, 32);
});

test('an empty file, or one of comments, gives nothing', () => {
  for (const text of ['', '# nothing\n', '---\n']) {
    assert.deepEqual(parseConfigText(text, 'x'), { preset: null, values: {} });
  }
});

const REFUSED: readonly (readonly [what: string, text: string, code: string, message: RegExp])[] = [
  ['broken YAML', 'a: [1', 'CONFIG_UNREADABLE', /run\.yaml/],
  ['a list', '- 1\n- 2\n', 'CONFIG_UNREADABLE', /not a list of "option: value" lines/],
  ['a text', 'hello', 'CONFIG_UNREADABLE', /not a list of "option: value" lines/],
  ['a key twice', 'lr: 1\nlr: 2\n', 'CONFIG_UNREADABLE', /unique/],
  ['two documents', 'lr: 1\n---\nlr: 2\n', 'CONFIG_UNREADABLE', /document/],
  ['an unknown tag', 'lr: !float32 1\n', 'CONFIG_UNREADABLE', /tag/],
  ['an alias without anchor', 'lr: *x\n', 'CONFIG_UNREADABLE', /alias/i],
  ['an unknown key', 'bacth: 1\n', 'CONFIG_UNKNOWN_KEY', /"bacth".*did you mean "batch"/],
  ['camelCase', 'imageSize: 1\n', 'CONFIG_UNKNOWN_KEY', /did you mean "image-size"/],
  ['a key that is a number', '1: 1\n', 'CONFIG_UNKNOWN_KEY', /"1"/],
  ['__proto__', '__proto__: {batch: 1}\n', 'CONFIG_UNKNOWN_KEY', /__proto__/],
  ['a preset that is a number', 'preset: 3\n', 'CONFIG_INVALID_VALUE', /"preset" is 3/],
];

for (const [what, text, code, message] of REFUSED) {
  test(`${what} is refused as ${code}`, () => {
    assert.throws(() => parseConfigText(text, '/etc/run.yaml'), { code, message });
  });
}

test('a value of another kind is refused when the configuration is resolved', () => {
  for (const [yaml, shown] of [
    ['batch: {a: 1}', '{"a":1}'],
    ['batch: [64]', '[64]'],
    ['batch: true', 'true'],
    ['lr: .nan', 'null'],
  ] as const) {
    const file = parseConfigText(`data: d\n${yaml}\n`, 'x');
    assert.throws(
      () => resolveConfig({ file }),
      (error: Error) => {
        assert.ok(error.message.includes(`is ${shown}: of the wrong type`), error.message);
        return true;
      },
    );
  }
});

test('a file is read, and one that cannot be read is refused with its path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-config-'));
  try {
    const path = join(folder, 'run.yaml');
    writeFileSync(path, 'batch: 64\n');
    assert.deepEqual((await readConfigFile(path)).values, { batch: 64 });
    await assert.rejects(readConfigFile(folder), { code: 'CONFIG_UNREADABLE', message: /EISDIR/ });
    await assert.rejects(readConfigFile(join(folder, 'none')), {
      code: 'CONFIG_UNREADABLE',
      message: /ENOENT/,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

for (const preset of Object.keys(PRESETS)) {
  test(`the effective configuration of ${preset} survives being stored`, () => {
    const config = resolveConfig({ flags: { data: '/photos' }, preset });
    assert.deepEqual(resolveConfig({ file: parseConfigText(configToYaml(config), 'stored') }), config);
  });
}

test('any texts and numbers survive being stored', () => {
  const text = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom(
      'yes',
      'null',
      '~',
      '1e5',
      '# x',
      ' a ',
      'a: b',
      '"',
      "'",
      'a\nb',
      '*',
      '&x',
      '!t',
      '-',
      'none ',
    ),
  );
  const values = fc.record({
    data: text,
    out: text,
    lr: fc.double({ min: 1e-4, max: 1, noNaN: true }),
    eps: fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
    weightDecay: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(2 ** 31 - 1),
    steps: fc.option(fc.integer({ min: 1, max: 1000 })),
    recompute: fc.boolean(),
  });
  fc.assert(
    fc.property(values, (flags) => {
      const config = resolveConfig({ flags });
      assert.deepEqual(resolveConfig({ file: parseConfigText(configToYaml(config), 'stored') }), config);
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('the stored file groups its options and uses the flags’ names', () => {
  const yaml = configToYaml(resolveConfig({ flags: { data: '/photos' } }));
  assert.match(yaml, /^# data\ndata: \/photos\n/);
  assert.match(yaml, /\n\n# training\n/);
  assert.match(yaml, /\nimage-size: 224\n/);
  assert.match(yaml, /\nfinal-lr: null\n/);
});
