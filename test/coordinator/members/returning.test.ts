/** A process that comes back on a new connection is the same process, whatever else it shares with others. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { StateSource } from '../../../src/wire/codec.js';
import { assembled, BEAT, HELLO, LONG_MS, openCluster, Peer } from '../cluster-peer.js';

const { STATE_SOURCE_KEPT, STATE_SOURCE_SEED } = StateSource;
const HOLDING = { runToken: '00' };

test('a worker whose connection broke on its side takes the place of its own ghost', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const before = new Peer(t, cluster.address);
  await before.join();
  await assembled(cluster, 1);
  // The old connection stays open: the coordinator has not learned of its end.
  const after = new Peer(t, cluster.address);
  const welcome = await after.join({ instance: before.instance, ...HOLDING });
  assert.deepEqual([welcome.worker, welcome.stateSource], [1, STATE_SOURCE_KEPT]);
  assert.deepEqual(cluster.workers, [1]);
  assert.match(events.find(({ kind }) => kind === 'lost')!.text, /worker 0 .*come back/);
});

test('with room for it as well, a process that comes back is one member', async (t) => {
  const { cluster } = await openCluster(t, 3);
  const [steady, before] = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  await steady.join();
  await before.join();
  await assembled(cluster, 2);
  // Same host name and pid as the others: only what it calls itself counts.
  await new Peer(t, cluster.address).join({ instance: before.instance });
  assert.deepEqual(cluster.workers, [0, 2]);
});

test('an expelled worker gets no use of its state, also where it never read that it was expelled', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const before = new Peer(t, cluster.address);
  await before.join();
  await assembled(cluster, 1);
  before.socket.close();
  cluster.expel(0, 'it holds other weights');
  const again = new Peer(t, cluster.address);
  await again.send('heartbeat', BEAT);
  await again.receiveOf('whoAreYou');
  const hello = { instance: before.instance, ...HOLDING };
  assert.equal((await again.join(hello)).stateSource, STATE_SOURCE_SEED);
  await cluster.until(() => cluster.ready.length === 1, LONG_MS);
  again.socket.close();
  // What it holds now is what it was given.
  const healed = await new Peer(t, cluster.address).join(hello);
  assert.equal(healed.stateSource, STATE_SOURCE_KEPT);
});

test('the end of a process is not taken for that of another machine with the same pid', async (t) => {
  const { cluster } = await openCluster(t, 2);
  await new Peer(t, cluster.address).join({ host: 'elsewhere', pid: 7 });
  await new Peer(t, cluster.address).join({ host: hostname(), pid: 7 });
  await assembled(cluster, 2);
  assert.equal(cluster.processEnded(7, 'it was ended by SIGKILL', 0), true);
  assert.deepEqual(cluster.workers, [0]);
});

test('a process without a name is refused', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.send('hello', { ...HELLO, instance: '' });
  assert.equal((await peer.receiveOf('refusal')).code, 'PROTOCOL_GARBAGE');
  assert.deepEqual(cluster.workers, []);
});
