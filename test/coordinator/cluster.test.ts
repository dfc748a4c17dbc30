/** Who gets into a cluster and who is refused, over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../../src/coordinator/cluster.js';
import { HELLO, LONG_MS, openCluster, Peer, READY } from './cluster-peer.js';

test('a run is assembled when its workers are ready, and collects one answer from each', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const peer of peers) await peer.join();
  await cluster.assemble(LONG_MS, () => false);
  assert.deepEqual(cluster.workers, [0, 1]);

  const collecting = cluster.collect('updateDone', 3, (body) => body.step === 3, LONG_MS);
  const update = { gradientNorm: 1, updateMs: 0, commitWaitMs: 0 };
  await peers[0]!.send('updateDone', { step: 2, ...update });
  await peers[0]!.send('updateDone', { step: 3, ...update });
  await peers[1]!.send('updateDone', { step: 3, ...update });
  const bodies = await collecting;
  assert.deepEqual(
    [...bodies.values()].map((body) => body.step),
    [3, 3],
  );
});

test('a worker of another protocol version is refused with both versions', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.send('hello', { ...HELLO, protocolVersion: 99 });
  const answer = await peer.receive();
  assert.ok(answer.name === 'refusal');
  assert.equal(answer.body.code, 'PROTOCOL_VERSION');
  assert.match(answer.body.problem, /99/);
  assert.equal(cluster.members.length, 0);
});

test('a worker too many is refused', async (t) => {
  const { cluster } = await openCluster(t, 1);
  await new Peer(t, cluster.address).join();
  const late = new Peer(t, cluster.address);
  await late.send('hello', HELLO);
  const answer = await late.receive();
  assert.ok(answer.name === 'refusal');
  assert.equal(answer.body.code, 'WORKER_REFUSED');
});

test('garbage is counted and harms nobody', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const stranger = new Peer(t, cluster.address);
  await stranger.socket.send('GET / HTTP/1.1');
  await stranger.socket.send(['two', 'frames']);
  await stranger.socket.send(new Uint8Array(0));
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await cluster.assemble(LONG_MS, () => false);
  const garbage = events.filter((event) => event.kind === 'garbage');
  assert.equal(garbage.length, 3);
  assert.match(garbage[0]!.text, /PROTOCOL_GARBAGE/);
});

test('messages of peers that never joined are ignored', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const stranger = new Peer(t, cluster.address);
  await stranger.send('ready', READY);
  await stranger.send('failure', { code: 'INTERNAL', problem: 'lies', remedy: '' });
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await cluster.assemble(LONG_MS, () => false);
  assert.deepEqual(cluster.workers, [0]);
});

test('workers pull what the coordinator offers, and get nothing for what it does not', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await peer.send('stateRequest', { transfer: 1, part: 'manifest', offset: 4, length: 100 });
  const chunk = await peer.receive();
  assert.ok(chunk.name === 'stateChunk');
  assert.equal(new TextDecoder().decode(chunk.body.data), 'manifest');
  await peer.send('stateRequest', { transfer: 2, part: '/etc/passwd', offset: 0, length: 100 });
  const nothing = await peer.receive();
  assert.ok(nothing.name === 'stateChunk');
  assert.equal(nothing.body.total, 0);
});

test('an address in use is refused', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const options = {
    workers: 1,
    heartbeatTimeoutMs: LONG_MS,
    welcome: () => assert.fail(),
    offer: () => undefined,
  };
  const silent = { onEvent: () => undefined, onUpdate: () => undefined };
  await assert.rejects(Cluster.open({ ...options, ...silent, listen: cluster.address }), {
    code: 'PORT_IN_USE',
  });
  await assert.rejects(Cluster.open({ ...options, ...silent, listen: 'nonsense' }), {
    code: 'ADDRESS_INVALID',
  });
});

const BROKEN = { code: 'DATA_BROKEN_IMAGE', problem: 'cannot decode x.jpg', remedy: 'repair it' };

test('a worker that fails before the start makes room for another', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const bad = new Peer(t, cluster.address);
  await bad.send('hello', HELLO);
  await bad.receive();
  await bad.send('failure', BROKEN);
  const good = new Peer(t, cluster.address);
  // Messages of two peers have no order: the failure is in once it shows.
  for (let i = 0; i < 400 && !events.some((event) => event.kind === 'lost'); i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await good.join();
  assert.equal(await cluster.assemble(LONG_MS, () => false), true);
  assert.match(events.find((event) => event.kind === 'lost')!.text, /DATA_BROKEN_IMAGE/);
});

test('a worker that nobody will replace ends the run with its own error', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.send('hello', HELLO);
  await peer.send('failure', BROKEN);
  for (let i = 0; i < 400 && !events.some((event) => event.kind === 'lost'); i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  cluster.processEnded(HELLO.pid, 'it exited with code 1');
  await assert.rejects(
    cluster.assemble(LONG_MS, () => false),
    { code: 'DATA_BROKEN_IMAGE' },
  );
});

test('a worker that fails or says goodbye during training ends the run', async (t) => {
  for (const message of [
    ['failure', BROKEN, 'DATA_BROKEN_IMAGE'],
    ['goodbye', {}, 'WORKER_LOST'],
  ] as const) {
    const { cluster } = await openCluster(t, 1);
    const peer = new Peer(t, cluster.address);
    await peer.join();
    await cluster.assemble(LONG_MS, () => false);
    await peer.send(message[0], message[1]);
    await assert.rejects(
      cluster.collect('stepDone', 1, () => true, LONG_MS),
      { code: message[2] },
    );
  }
});
