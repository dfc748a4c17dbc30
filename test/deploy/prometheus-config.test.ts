import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runRoutes } from '../../src/coordinator/watch/run-pages.js';
import { compose, DEPLOY, prometheusConfig } from './deploy-files.js';

const { global, rule_files: ruleFiles, scrape_configs: jobs } = prometheusConfig();

test('rule files exist next to prometheus.yml', () => {
  assert.ok(ruleFiles.length > 0);
  for (const file of ruleFiles) assert.ok(existsSync(`${DEPLOY}/prometheus/${file}`), file);
});

test('the tests of the rules test the rules that are loaded', () => {
  const tests = readFileSync(`${DEPLOY}/prometheus/alerts_test.yml`, 'utf8');
  for (const file of ruleFiles) assert.ok(tests.includes(`- ${file}\n`));
});

test('a scrape ends before the next begins', () => {
  assert.equal(global.scrape_interval, '5s');
  assert.ok(parseInt(global.scrape_timeout) < parseInt(global.scrape_interval));
});

test('coordinator and discovery are asked at the address where the deployment serves them', () => {
  const [coordinator, workers] = jobs;
  const [target] = coordinator!.static_configs![0]!.targets;
  const url = new URL(workers!.http_sd_configs![0]!.url);
  assert.equal(url.host, target);
  const { services } = compose();
  assert.equal(services['coordinator']!.environment!['VITRAIL_HTTP_LISTEN'], `0.0.0.0:${url.port}`);
  // 127.0.0.1 means the same to Prometheus, the coordinator and the workers only where they share a network.
  assert.equal(url.hostname, '127.0.0.1');
  for (const name of ['coordinator', 'worker']) {
    assert.equal(services[name]!.network_mode, 'service:prometheus');
  }
});

test('the coordinator serves the pages that Prometheus asks for', () => {
  // Only the names of the routes matter: nothing is called.
  const routes = Object.keys(runRoutes({} as never, {} as never, 'run', {} as never));
  const asked = new URL(jobs[1]!.http_sd_configs![0]!.url).pathname;
  for (const page of ['/metrics', asked]) assert.ok(routes.includes(page), page);
});
