import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, runVerdict, verdictText, type RunSeen } from '../../../src/api/watching/run-verdict.js';
import { reachableAddress, reachableHost } from '../../../src/host/reachable-host.js';

const SEEN: RunSeen = {
  end: null,
  silence: null,
  fromItsPlace: true,
  gone: false,
  journalAgeMs: 3000,
  lease: null,
};
const silence = 'its page at 10.0.0.7:9464: nothing listens there';

test('a run whose coordinator answers goes on, one whose journal has an end has ended', () => {
  assert.equal(runVerdict(SEEN).state, 'running');
  assert.deepEqual(runVerdict({ ...SEEN, end: 'finished' }), { state: 'ended', reason: 'finished' });
});

test("a run is interrupted only where nothing listens at the coordinator's own place", () => {
  const gone = { ...SEEN, silence, gone: true };
  assert.equal(verdictText(runVerdict(gone)), `interrupted: ${silence}`);
  assert.equal(runVerdict({ ...gone, fromItsPlace: false }).state, 'unknown');
  assert.equal(runVerdict({ ...gone, gone: false }).state, 'unknown');
});

test('if the page cannot be reached, the lease of the run folder decides', () => {
  const silent = { ...SEEN, silence, fromItsPlace: false };
  const alive = { kind: 'alive', owner: 'process 7 on alpha', reason: 'it runs' } as const;
  assert.deepEqual(runVerdict({ ...silent, lease: alive }), {
    state: 'running',
    reason: 'process 7 on alpha has the run folder: it runs',
  });
  const lease = { kind: 'gone', reason: 'no process has the run folder' } as const;
  assert.equal(verdictText(runVerdict({ ...silent, lease })), `interrupted: ${lease.reason}`);
});

test("if it cannot be told whether a run still runs, the reason and the journal's age are given", () => {
  assert.equal(
    verdictText(runVerdict({ ...SEEN, silence, fromItsPlace: false })),
    `it cannot be told from here whether it still runs: ${silence}; its journal was last written 3 s ago`,
  );
});

test('ages are in the unit that fits', () => {
  assert.deepEqual([-5, 12_000, 300_000, 12_600_000, 345_600_000].map(age), [
    '0 s',
    '12 s',
    '5 min',
    '3.5 h',
    '4 days',
  ]);
});

test('others get an address rather than a name that they may not know', () => {
  const at = (name: string, address: string, internal = false, family = 'IPv4') => ({
    name,
    address,
    family,
    internal,
  });
  const lo = at('lo', '127.0.0.1', true);
  const bridge = at('docker0', '172.17.0.1');
  const outer = at('eth0', '10.0.0.7');
  assert.equal(reachableHost(null, [lo, bridge, outer], 'alpha'), '10.0.0.7');
  assert.equal(reachableHost(null, [lo, bridge], 'alpha'), '172.17.0.1');
  assert.equal(reachableHost(null, [lo], 'alpha'), 'alpha');
  assert.equal(reachableHost('node0', [outer], 'alpha'), 'node0');
  assert.equal(reachableHost('fd00::7', [outer], 'alpha'), '[fd00::7]');
});

test('only a wildcard is replaced in an address', () => {
  assert.equal(reachableAddress('tcp://0.0.0.0:7070', '10.0.0.7'), 'tcp://10.0.0.7:7070');
  assert.equal(reachableAddress('[::]:9464', '10.0.0.7'), '10.0.0.7:9464');
  assert.equal(reachableAddress('tcp://127.0.0.1:7070', '10.0.0.7'), 'tcp://127.0.0.1:7070');
  assert.equal(reachableAddress('10.0.0.0.0:1', 'x'), '10.0.0.0.0:1');
});
