/** Every wait of a cluster ends, and says for whom it waited, over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreedState } from '../../src/coordinator/state-audit.js';
import { LONG_MS, openCluster, Peer } from './cluster-peer.js';

test('missing workers end the wait with the count', async (t) => {
  const { cluster } = await openCluster(t, 2);
  await new Peer(t, cluster.address).join();
  await assert.rejects(
    cluster.assemble(200, () => false),
    { code: 'WORKERS_MISSING' },
  );
});

test('a silent worker is lost, and every wait ends with its name', async (t) => {
  const { cluster } = await openCluster(t, 1, 1000);
  await new Peer(t, cluster.address).join();
  await cluster.assemble(LONG_MS, () => false);
  const never = () => false;
  await assert.rejects(
    cluster.collect('stepDone', 5, never, LONG_MS),
    /WORKER_LOST: worker 0 .* step 5 .*silent/,
  );
  await assert.rejects(cluster.pull(0, 'weights'), { code: 'WORKER_LOST' });
});

test('a wait goes on while the worker that is waited for makes progress', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await cluster.assemble(LONG_MS, () => false);
  let progress = 1;
  const busy = setInterval(
    () => void peer.send('heartbeat', { sequence: 1, step: 1, phase: 3, progress: progress++ }),
    20,
  );
  t.after(() => clearInterval(busy));
  const late = assert.rejects(
    cluster.collect('stepDone', 1, () => true, 400),
    { code: 'STEP_TIMEOUT' },
  );
  setTimeout(() => clearInterval(busy), 1300);
  const startMs = performance.now();
  await late;
  assert.ok(performance.now() - startMs > 1250);
});

test('a phase that nobody knows harms nobody', async (t) => {
  const { cluster } = await openCluster(t, 1, 1000);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await cluster.assemble(LONG_MS, () => false);
  await peer.send('heartbeat', { sequence: 1, step: 1, phase: 99, progress: 1 });
  await assert.rejects(
    cluster.collect('stepDone', 1, () => true, LONG_MS),
    /during unknown/,
  );
});

test('an interrupt ends the wait for workers', async (t) => {
  const { cluster } = await openCluster(t, 1);
  assert.equal(await cluster.assemble(LONG_MS, () => true), false);
});

test('a step that takes too long names who is waited for', async (t) => {
  const { cluster } = await openCluster(t, 1);
  await new Peer(t, cluster.address).join();
  await cluster.assemble(LONG_MS, () => false);
  await assert.rejects(
    cluster.collect('stepDone', 7, () => true, 50),
    /STEP_TIMEOUT: step 7 .* worker 0 \(idle\)/,
  );
});

test('workers that hold other weights than the rest end the run', async (t) => {
  const { cluster } = await openCluster(t, 3);
  const peers = [0, 1, 2].map(() => new Peer(t, cluster.address));
  for (const peer of peers) await peer.join();
  await cluster.assemble(LONG_MS, () => false);
  const agreed = agreedState(cluster, 4, LONG_MS);
  for (const [i, peer] of peers.entries()) {
    const request = await peer.receive();
    assert.ok(request.name === 'digestRequest' && request.body.step === 4);
    const sha256 = new Uint8Array(32).fill(i === 2 ? 9 : 1);
    await peer.send('stateDigest', { step: 4, parts: [{ part: 'weights', sha256 }] });
  }
  await assert.rejects(agreed, { code: 'STATE_MISMATCH' });
});
