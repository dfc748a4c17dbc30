import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { alertRules } from './deploy-files.js';
import { metricCatalogue } from './metric-catalogue.js';

const docs = readFileSync('docs/monitoring.md', 'utf8');
const { types } = await metricCatalogue();

test('every metric of vitrail stands in the tables with its type, and no other does', () => {
  const rows = [...docs.matchAll(/^\| `(vitrail_\w+)` +\| (\w+) +\|/gm)].map(([, name, type]) => [
    name,
    type,
  ]);
  const own = [...types].filter(([name]) => name.startsWith('vitrail_'));
  assert.deepEqual(rows.sort(), own.sort());
});

test('metrics that the text mentions exist', () => {
  const mentioned = docs.match(/\b(?:vitrail|process|nodejs)_[a-z0-9_]*[a-z0-9]\b/g) ?? [];
  for (const name of mentioned) {
    const known = types.has(name) || types.has(name.replace(/_(bucket|sum|count)$/, ''));
    assert.ok(known, name);
  }
});

test('every alert has a section with its severity, and every section an alert', () => {
  const sections = [...docs.matchAll(/^### (Vitrail\w+) \((\w+)\)$/gm)].map(([, name, severity]) => [
    name,
    severity,
  ]);
  const rules = alertRules().map(({ alert, labels }) => [alert, labels.severity]);
  assert.deepEqual(sections.sort(), rules.sort());
});

test('files that the text names exist', () => {
  const paths = [...docs.matchAll(/`((?:deploy|src|docs|test)\/[\w./-]+)`/g)].map(([, path]) => path!);
  assert.ok(paths.length > 0);
  for (const path of paths) {
    // A person makes this one.
    if (path !== 'deploy/.env') assert.ok(existsSync(path), path);
  }
});
