/** Who gets into a cluster and who is refused, over real sockets. */
import { systemHost } from '../../src/host/host.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../../src/coordinator/cluster.js';
import { coded } from '../../src/errors/errors.js';
import { assembled, HELLO, LONG_MS, openCluster, Peer, POSITION, READY } from './cluster-peer.js';

test('answers are gathered from every worker that is asked, and only the ones that match', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  assert.deepEqual(cluster.workers, [0, 1]);
  assert.deepEqual(cluster.holders(0), [0, 1]);

  const gathering = cluster.waitForAnswers({
    name: 'updateDone',
    step: 3,
    from: [0, 1],
    matches: (body) => body.step === 3,
    timeoutMs: LONG_MS,
  });
  const update = { gradientNorm: 1, updateMs: 0, commitWaitMs: 0 };
  await peers[0]!.send('updateDone', { step: 2, ...update });
  await peers[0]!.send('updateDone', { step: 3, ...update });
  await peers[1]!.send('updateDone', { step: 3, ...update });
  const { answers, lost } = await gathering;
  assert.deepEqual(
    [...answers.values()].map((body) => body.step),
    [3, 3],
  );
  assert.deepEqual(lost, []);
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

test('garbage is counted and does no harm', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const unknown = new Peer(t, cluster.address);
  await unknown.socket.send('GET / HTTP/1.1');
  await unknown.socket.send(['two', 'frames']);
  await unknown.socket.send(new Uint8Array(0));
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  const garbage = events.filter((event) => event.kind === 'garbage');
  assert.equal(garbage.length, 3);
  assert.match(garbage[0]!.text, /PROTOCOL_GARBAGE/);
});

test('a connection that never said hello is asked who it is, and nothing else happens', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const unknown = new Peer(t, cluster.address);
  await unknown.send('ready', READY);
  await unknown.send('failure', { code: 'INTERNAL', problem: 'lies', remedy: '' });
  const asked = await unknown.receiveOf('whoAreYou');
  assert.equal(asked.discardState, false);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  assert.deepEqual(cluster.workers, [0]);
});

test('an expelled worker is told to come back with nothing', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  cluster.expel(0, 'it holds other weights');
  const told = await peer.receiveOf('whoAreYou');
  assert.equal(told.discardState, true);
  assert.match(told.reason, /other weights/);
  assert.deepEqual(cluster.workers, []);
});

test('a connection that closes is noticed at once, whenever ZeroMQ itself learns of it', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  // Fifty times: what goes wrong here does so in one of some.
  for (let i = 0; i < 50; i++) {
    const peer = new Peer(t, cluster.address);
    await peer.join();
    await assembled(cluster, 1);
    const startMs = performance.now();
    peer.socket.close();
    await cluster.until(() => cluster.workers.length === 0, LONG_MS);
    assert.ok(performance.now() - startMs < LONG_MS / 4);
    assert.match(events.at(-1)!.text, /its connection is gone/);
  }
});

test('a worker of another backend is refused when it is ready', async (t) => {
  const refuses = ({ backend }: { backend: string }) =>
    backend === 'cpu' ? null : coded('BACKEND_MISMATCH', { worker: backend, run: 'cpu' });
  const { cluster } = await openCluster(t, 2, LONG_MS, { refuses });
  const peer = new Peer(t, cluster.address);
  await peer.join({}, { backend: 'wasm' });
  assert.equal((await peer.receiveOf('refusal')).code, 'BACKEND_MISMATCH');
  assert.deepEqual(cluster.workers, []);
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
  assert.deepEqual([nothing.body.unavailable, nothing.body.total], [true, 0]);
});

test('an address in use is refused', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const options = {
    clock: systemHost.clock,
    network: systemHost.network,
    hostName: systemHost.process.hostName,
    maxWorkers: 1,
    minWorkers: 1,
    firstWorker: 0,
    suspectAfterMs: LONG_MS,
    heartbeatTimeoutMs: LONG_MS,
    welcome: { configJson: '{}', manifestDigest: '', classes: [], heartbeatMs: 1000 },
    position: () => POSITION,
    refuses: () => null,
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

test('a worker that asks to leave is released with a clean stop', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  await peer.send('leave', { reason: 'SIGTERM' });
  await peer.send('leave', { reason: 'SIGTERM' });
  await cluster.until(() => cluster.members[0]?.leaving === true, LONG_MS);
  cluster.release(0);
  assert.equal((await peer.receiveOf('stop')).clean, true);
  assert.deepEqual(
    events.slice(-2).map(({ kind }) => kind),
    ['leaving', 'left'],
  );
});

test('after a rollback every worker is asked to join again', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  cluster.rejoinAll('the run rolls back to step 4');
  assert.match((await peer.receiveOf('whoAreYou')).reason, /back to step 4/);
  await peer.join();
  await cluster.until(() => cluster.ready.length === 1, LONG_MS);
});
