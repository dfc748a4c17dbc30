/** docs/run-folder.md names every field of the files of a real run. */
import assert from 'node:assert/strict';
import { nodeDisk } from '../../src/host/disk.js';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSafetensorsHeader } from '../../src/run/checkpoint/safetensors.js';
import { cli, SMALL_RUN, smallDataset, temporaryFolder } from './cli-run.js';

const folder = temporaryFolder();
const DOCS = readFileSync('docs/run-folder.md', 'utf8');

after(() => folder.remove());

/** The names of all fields, `config` left out: its fields are the options. */
function fieldsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'config' ? [name] : [name, ...fieldsOf(inner)],
  );
}

function jsonOf(...path: string[]): unknown {
  return JSON.parse(readFileSync(join(...path), 'utf8'));
}

test('every file of a run folder, and every field that other tools may read, is documented', async () => {
  const runDir = join(folder.path, 'run');
  const data = await smallDataset(folder.path);
  const { code, stderr } = await cli(
    ...['train', '--data', data, '--out', runDir, ...SMALL_RUN, '--epochs', '1', '--ema-decay', '0.9'],
  );
  assert.equal(code, 0, stderr);
  const [name] = readdirSync(join(runDir, 'checkpoints'));
  const checkpoint = join(runDir, 'checkpoints', name!);
  const lines = readFileSync(join(runDir, 'metrics.jsonl'), 'utf8').trim().split('\n');
  const { metadata } = await readSafetensorsHeader(nodeDisk, join(checkpoint, 'weights.safetensors'));
  const optimizer = await readSafetensorsHeader(nodeDisk, join(checkpoint, 'optimizer.safetensors'));
  const { state, ...ofState } = jsonOf(checkpoint, 'state.json') as { readonly state: object };
  const names = new Set([
    ...readdirSync(runDir).map((file) => file.replace(/^worker-\d+/, 'worker-K')),
    ...readdirSync(checkpoint),
    ...lines.map((line) => (JSON.parse(line) as { readonly type: string }).type),
    ...lines.flatMap((line) => fieldsOf(JSON.parse(line))),
    ...fieldsOf(jsonOf(runDir, 'summary.json')),
    ...fieldsOf(jsonOf(runDir, 'best.json')),
    ...Object.keys(metadata),
    ...optimizer.tensors.map((tensor) => `${tensor.name.split('.')[0]!}.`),
    ...[...Object.keys(ofState), 'state', ...Object.keys(state)],
  ]);
  const missing = [...names].filter((field) => !new RegExp(`\`${field}(?:/[^\`]*)?\``).test(DOCS));
  assert.deepEqual(
    missing.filter((field) => field !== 'checkpoints'),
    [],
  );
});
