import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compose,
  dashboard,
  dashboardProviders,
  datasources,
  prometheusConfig,
  type Panel,
} from './deploy-files.js';

/** Grafana's grid. */
const COLUMNS = 24;

const { panels, templating, uid } = dashboard();
const charts = panels.filter(({ type }) => type !== 'row');

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

test('panels have ids of their own, and links to the dashboard stay valid', () => {
  assert.equal(uid, 'vitrail');
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
});

test('every chart has a title, a description, a unit and something to draw', () => {
  assert.ok(charts.length > 0);
  for (const { title, description, fieldConfig, targets = [] } of charts) {
    assert.ok(title.length > 0);
    assert.ok((description ?? '').length > 20, `${title} has no description`);
    assert.ok((fieldConfig?.defaults.unit ?? '').length > 0, `${title} has no unit`);
    assert.ok(targets.length > 0, `${title} draws nothing`);
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
  }
});

test('no panel leaves the grid or covers another', () => {
  for (const { title, gridPos } of panels) {
    assert.ok(gridPos.x >= 0 && gridPos.w > 0 && gridPos.x + gridPos.w <= COLUMNS, title);
  }
  panels.forEach((panel, i) => {
    for (const other of panels.slice(i + 1))
      assert.ok(!overlap(panel, other), `${panel.title} covers ${other.title}`);
  });
});

test('rows come in the order of the questions they answer', () => {
  const rows = panels.filter(({ type }) => type === 'row');
  assert.deepEqual(
    rows.sort((a, b) => a.gridPos.y - b.gridPos.y).map(({ title }) => title),
    ['Run', 'Learning', 'Speed', 'All-reduce', 'Data', 'System', 'Checkpoints and events', 'Elasticity'],
  );
});

test('every chart reads from the chosen data source', () => {
  for (const { title, datasource, targets = [] } of charts) {
    assert.deepEqual(datasource, { type: 'prometheus', uid: '${datasource}' }, title);
    for (const target of targets) assert.equal(target.datasource.uid, '${datasource}', title);
  }
});

test('variables that charts use are defined', () => {
  const known = new Set(templating.list.map(({ name }) => name));
  assert.deepEqual([...known], ['datasource', 'run', 'worker', 'window']);
  for (const { title, targets = [] } of charts) {
    for (const { expr } of targets) {
      for (const [, name] of expr.matchAll(/\$\{?(\w+)/g)) {
        assert.ok(known.has(name!), `${title} uses $${String(name)}`);
      }
    }
  }
});

test('charts of one run only ask for one run', () => {
  for (const { title, targets = [] } of charts) {
    for (const { expr } of targets) assert.match(expr, /run=~?"\$run/, title);
  }
});

test('Grafana finds its data source and the dashboard where compose puts them', () => {
  const { grafana } = compose().services;
  const mounts = new Map(
    grafana!.volumes!.map((volume) => volume.split(':').slice(0, 2) as [string, string]),
  );
  const [provider] = dashboardProviders();
  assert.equal(mounts.get('./grafana/dashboards'), provider!.options.path);
  assert.equal(mounts.get('./grafana/provisioning'), '/etc/grafana/provisioning');
  const [source] = datasources();
  assert.equal(source!.type, 'prometheus');
  assert.ok(new URL(source!.url).hostname in compose().services);
  assert.equal(source!.jsonData.timeInterval, prometheusConfig().global.scrape_interval);
});
