import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertRules, dashboard, expressions } from './deploy-files.js';
import { metricCatalogue } from './metric-catalogue.js';
import { labelMatchers, metricNames } from './promql.js';

const { types, series } = await metricCatalogue();

/** What Prometheus itself provides. */
const PROMETHEUS_SERIES = ['up', 'ALERTS'];

/** A histogram's suffixes lead to its name. */
function family(name: string): string {
  return types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
}

test('the pages show what a step left behind', () => {
  assert.equal(types.get('vitrail_step_seconds'), 'histogram');
  assert.deepEqual([...series.get('vitrail_loss')!.get('split')!].sort(), ['step', 'test', 'train', 'val']);
  assert.ok(series.get('vitrail_worker_phase_seconds_sum')!.get('phase')!.has('reduce_wait'));
  assert.deepEqual([...series.get('vitrail_step')!.get('run')!], ['test-run']);
});

test('every metric in alerts and dashboard is one that coordinator or workers serve', () => {
  for (const { where, expression } of expressions()) {
    const names = metricNames(expression);
    assert.ok(names.length > 0, `${where} reads no metric`);
    for (const name of names) {
      assert.ok(series.has(name) || PROMETHEUS_SERIES.includes(name), `${where} reads ${name}`);
    }
  }
});

test('every label in alerts and dashboard exists on its metric, with the values that are asked for', () => {
  for (const { where, expression } of expressions()) {
    for (const { metric, label, operator, value } of labelMatchers(expression)) {
      if (PROMETHEUS_SERIES.includes(metric)) continue;
      // The coordinator's processes have no worker: `worker=~"$worker|"` also takes them.
      const values = series.get(metric)?.get(label);
      assert.ok(values !== undefined, `${where}: ${metric} has no label ${label}`);
      if (value.includes('$') || values.size === 0) continue;
      const alternatives = operator === '=~' ? value.split('|') : [value];
      for (const alternative of alternatives) {
        assert.ok(values.has(alternative), `${where}: ${metric} has no ${label}="${alternative}"`);
      }
    }
  }
});

test('rates and increases are taken of counters, and their neighbours of gauges', () => {
  const counters = /\b(?:rate|increase)\(([\w:]+)/g;
  const gauges = /\b(?:changes|quantile_over_time\(0\.5,|deriv|delta)\s*\(?([a-z][\w:]*)/g;
  for (const { where, expression } of expressions()) {
    for (const [, name] of expression.matchAll(counters)) {
      assert.match(
        types.get(family(name!)) ?? '',
        /^(counter|histogram)$/,
        `${where}: a rate of ${String(name)}`,
      );
    }
    for (const [, name] of expression.matchAll(gauges)) {
      const expected = name!.endsWith('_total') ? 'counter' : 'gauge';
      assert.equal(types.get(family(name!)), expected, `${where}: ${String(name)}`);
    }
  }
});

test('the metrics that show how a run goes are all on the dashboard', () => {
  const shown = new Set(
    dashboard()
      .panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => metricNames(expr)))
      .map(family),
  );
  // A worker's step is the run's step, and its histogram's count of commits is too.
  // Speeds are drawn as rates of counters: a gauge of the last step jumps with every step that is scraped.
  const lastStep = ['vitrail_images_per_second', 'vitrail_worker_images_per_second'];
  const elsewhere = ['vitrail_worker_step', 'vitrail_build_info', ...lastStep];
  const own = [...types.keys()].filter((name) => name.startsWith('vitrail_'));
  assert.deepEqual(
    own.filter((name) => !shown.has(name) && !elsewhere.includes(name)),
    [],
  );
});

test('a curve of a worker goes on when another process takes its place, at another address', () => {
  for (const { title, targets = [] } of dashboard().panels) {
    for (const { expr } of targets.filter(({ expr }) => expr.includes('worker=~'))) {
      assert.match(expr, /(?:sum|max)(?: by \((?!instance)[^)]*\))? ?\(/, `${title}: ${expr}`);
    }
  }
});

test('alerts have unique names, and their texts name the run or the place', () => {
  const rules = alertRules();
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, annotations } of rules) {
    assert.match(alert, /^Vitrail[A-Z]\w+$/);
    assert.match(annotations.summary, /\{\{ \$labels\.(run|worker|instance) \}\}/, alert);
    assert.match(annotations.action, /\.$/, alert);
  }
});
