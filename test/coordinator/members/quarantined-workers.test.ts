/** Workers that were taken out: what they are told, and when they may come back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembled, BEAT, HELLO, LONG_MS, openCluster, Peer } from '../cluster-peer.js';

test('a worker that its neighbour cannot reach stays out for a while, however often it asks', async (t) => {
  const { cluster, events } = await openCluster(t, 3);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const [i, peer] of peers.entries()) await peer.join({ pid: 100 + i });
  await assembled(cluster, 2);
  cluster.quarantine(0, 'worker 0 is not reached');
  const { reason, discardState } = await peers[0]!.receiveOf('whoAreYou');
  assert.match(reason, /worker 0 is not reached: it stays out for 30 s/);
  assert.equal(discardState, false);
  await peers[0]!.send('hello', { ...HELLO, instance: peers[0]!.instance });
  // Whoever comes after it gets in at once.
  await new Peer(t, cluster.address).join({ pid: 102 });
  assert.equal(await cluster.until(() => cluster.ready.length === 2, LONG_MS), 'met');
  assert.deepEqual(cluster.workers, [1, 2]);
  assert.equal(events.filter(({ kind }) => kind === 'joined').length, 3);
});

test('where too few would be left, a worker that is not reached gets in again', async (t) => {
  const { cluster } = await openCluster(t, 2, LONG_MS, { minWorkers: 2 });
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const [i, peer] of peers.entries()) await peer.join({ pid: 100 + i });
  await assembled(cluster, 2);
  cluster.quarantine(0, 'worker 0 is not reached');
  await peers[0]!.receiveOf('whoAreYou');
  await peers[0]!.join({ pid: 100 });
  assert.equal(await cluster.until(() => cluster.ready.length === 2, LONG_MS), 'met');
  assert.deepEqual(cluster.workers, [1, 2]);
});

test('a run that ends also tells the workers that it has removed', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  cluster.expel(0, 'worker 0 holds other weights');
  await peers[0]!.receiveOf('whoAreYou');
  // A connection that has only ever said what members say.
  const unknown = new Peer(t, cluster.address);
  await unknown.send('heartbeat', BEAT);
  await unknown.receiveOf('whoAreYou');
  await peers[1]!.send('goodbye', {});
  await cluster.until(() => cluster.members.length === 0, LONG_MS);
  await cluster.close({ clean: true, reason: 'finished' }, LONG_MS);
  for (const peer of [peers[0]!, unknown]) {
    assert.deepEqual(await peer.receiveOf('stop'), { clean: true, reason: 'finished' });
  }
});
