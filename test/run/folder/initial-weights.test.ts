/** Whether a run that starts from published weights keeps their head. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { systemHost } from '../../../src/host/host.js';
import { resolveConfig } from '../../../src/run/config/config.js';
import { initialWeights } from '../../../src/run/folder/initial-weights.js';
import { publishedOptions } from '../../../src/run/folder/published-options.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';

/** The head's weights and what was warned of, for published weights whose config.json names classes so. */
async function headFrom(id2label: readonly string[] | null, classes: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-head-'));
  try {
    cpSync('test/fixtures/interop/hf-vit', folder, { recursive: true });
    const path = join(folder, 'config.json');
    const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    delete config['id2label'];
    if (id2label !== null) config['id2label'] = Object.fromEntries(id2label.map((name, i) => [i, name]));
    writeFileSync(path, JSON.stringify(config));
    const published = await publishedOptions(nodeDisk, { from: folder, commit: null, heads: null });
    const run = resolveConfig({ flags: { data: folder, out: folder }, published });
    const spec = modelSpec(run.model, { ...run, classes: classes.length });
    const warned: string[] = [];
    const warn = (text: string): void => void warned.push(text);
    const target = { config: run, spec, classes, warn };
    const { weights: flat } = await initialWeights(systemHost, folder, target);
    const { offset, length } = parameterLayout(spec).slots.find(({ name }) => name === 'head.weight')!;
    return { kept: flat.subarray(offset, offset + length).some((value) => value !== 0), warned };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Logits of the model in the fixture. */
const LOGITS = 7;
const named = (...change: number[]): string[] =>
  Array.from({ length: LOGITS }, (_, i) => `class ${change[i] ?? i}`);

test('a head for the same classes is kept, and one whose classes have only numbers', async () => {
  for (const id2label of [named(), null, Array.from({ length: LOGITS }, (_, i) => `LABEL_${i}`)]) {
    assert.deepEqual(await headFrom(id2label, named()), { kept: true, warned: [] });
  }
});

test('a head whose rows are for other classes, or for these in another order, starts anew and says so', async () => {
  for (const id2label of [named(1, 0), named(99)]) {
    const { kept, warned } = await headFrom(id2label, named());
    assert.equal(kept, false);
    assert.match(warned.join(), /as many classes, but for others or in another order: the head starts anew/);
  }
});
