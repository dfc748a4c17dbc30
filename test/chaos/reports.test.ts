/** What is read from a run that was hit, also where little is left of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CuttableLink } from '../../src/chaos/cuttable-link.js';
import { Fleet } from '../../src/chaos/fleet.js';
import { repeatedSteps } from '../../src/chaos/repeated-steps.js';
import { stillToCome } from '../../src/chaos/schedule.js';
import type { Fault } from '../../src/host/fault-injection.js';

const line = (type: string, step: number) => `{"type":"${type}","time":1,"step":${step}}\n`;

test('a step that the log has twice was committed twice, unless the run rolled back', () => {
  const log = line('start', 0) + line('step', 0) + line('step', 1) + line('checkpoint', 1) + line('step', 2);
  assert.deepEqual(repeatedSteps(log), []);
  assert.deepEqual(repeatedSteps(log + line('step', 1)), [1]);
  assert.deepEqual(repeatedSteps(`${log}{"type":"cluster","kind":"back"}\n${line('step', 1)}`), []);
  assert.deepEqual(repeatedSteps(''), []);
});

test('a fault that has happened comes no more; one that was not planned changes nothing', () => {
  const kill: Fault = { point: 'before-ring', step: 3, action: 'kill' };
  const stop: Fault = { point: 'mid-update', step: 4, action: 'stop' };
  assert.deepEqual(stillToCome([kill, stop], { ...kill, step: 5 }), [stop]);
  assert.deepEqual(stillToCome([kill, stop, kill], kill), [stop, kill]);
  assert.deepEqual(stillToCome([kill, stop], { ...kill, action: 'cut' }), [kill, stop]);
});

test('a coordinator that fails before it has a log is reported with its own output', async (t) => {
  const runDir = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  t.after(() => rmSync(runDir, { recursive: true, force: true }));
  const fleet = new Fleet({
    configPath: join(runDir, 'none.yaml'),
    runDir,
    removeAfterMs: 1500,
    timeoutMs: 60_000,
    schedule: { name: 'clean', wholeFleet: false, coordinator: [], workers: [[]] },
  });
  const { weightDigest, problems } = await fleet.run();
  assert.equal(weightDigest, null);
  assert.match(problems.join(), /the coordinator ended with 1: .*none\.yaml/s);
});

test('a link to nowhere drops its connections, and a link that cannot listen says so', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const target = { host: '127.0.0.1', port };
  await assert.rejects(CuttableLink.open(target, port), { code: 'EADDRINUSE' });
  const link = await CuttableLink.open(target);
  assert.notEqual(link.port, port);
  link.close();
});
