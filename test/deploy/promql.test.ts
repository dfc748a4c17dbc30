import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelMatchers, metricNames } from './promql.js';

test('metrics are found, functions, keywords, labels, ranges and strings are not', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['vitrail_step', ['vitrail_step']],
    ['up{job="vitrail-worker"} == 0 and on (run) vitrail_step', ['up', 'vitrail_step']],
    ['sum by (run, worker) (rate(a_total{phase=~"x|y"}[10m]))', ['a_total']],
    ['rate(a[$window]) / ignoring (phase) group_left () rate(b[$window])', ['a', 'b']],
    ['histogram_quantile(0.99, sum by (le) (rate(a_bucket[5m])))', ['a_bucket']],
    ['changes(a[5m]) == 0 and a < b offset 5m', ['a', 'b']],
    ['abs(a) == Inf or a != a', ['a']],
    ['count(ALERTS{alertname=~"V.*"}) or vector(0)', ['ALERTS']],
    ['a * 1e3 + level:a:rate5m', ['a', 'level:a:rate5m']],
    ['a{b="} c {"}', ['a']],
  ];
  for (const [expression, names] of cases) assert.deepEqual(metricNames(expression), names, expression);
});

test('label matchers are found with their metric', () => {
  assert.deepEqual(labelMatchers('a{x="1", y!~"b|c"} / b {z=~"$run"} + c{}'), [
    { metric: 'a', label: 'x', operator: '=', value: '1' },
    { metric: 'a', label: 'y', operator: '!~', value: 'b|c' },
    { metric: 'b', label: 'z', operator: '=~', value: '$run' },
  ]);
});
