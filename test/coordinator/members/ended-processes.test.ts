/** Workers that fail, and their processes that end: whether the run does, and with which error; over real sockets. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { assembled, HELLO, LONG_MS, openCluster, Peer } from '../cluster-peer.js';

const BROKEN = { code: 'DATA_BROKEN_IMAGE', problem: 'cannot decode x.jpg', remedy: 'repair it' };

test('a worker that fails before the start makes room for another', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const bad = new Peer(t, cluster.address);
  await bad.send('hello', HELLO);
  await bad.receive();
  await bad.send('failure', BROKEN);
  const good = new Peer(t, cluster.address);
  // Messages of two peers have no order: the failure is in once it shows.
  await cluster.until(() => events.some(({ kind }) => kind === 'lost'), LONG_MS);
  await good.join();
  await assembled(cluster, 1);
  assert.match(events.find((event) => event.kind === 'lost')!.text, /DATA_BROKEN_IMAGE/);
});

test('a worker without a replacement ends the run with its own error', async (t) => {
  const { cluster, events } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.send('hello', { ...HELLO, host: hostname() });
  await peer.send('failure', BROKEN);
  await cluster.until(() => events.some(({ kind }) => kind === 'lost'), LONG_MS);
  cluster.processEnded(HELLO.pid, 'it exited with code 1', 0);
  await assert.rejects(
    cluster.until(() => false, LONG_MS),
    { code: 'DATA_BROKEN_IMAGE' },
  );
});

test('a failure that every worker would meet ends the run; one of its own does not', async (t) => {
  for (const [failure, ends] of [
    [BROKEN, true],
    [{ code: 'DATA_WRITE_FAILED', problem: 'disk full', remedy: '' }, false],
  ] as const) {
    const { cluster, events } = await openCluster(t, 1);
    const peer = new Peer(t, cluster.address);
    await peer.join();
    await assembled(cluster, 1);
    await peer.send('failure', failure);
    const gone = cluster.until(() => cluster.workers.length === 0, LONG_MS);
    if (ends) await assert.rejects(gone, { code: 'DATA_BROKEN_IMAGE' });
    else assert.equal(await gone, 'met');
    assert.match(events.at(-1)!.text, new RegExp(failure.code));
  }
});

test('a run of its own workers ends when the last of their processes has ended', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  await peers[0]!.join({ host: hostname(), pid: 1 });
  await peers[1]!.join({ host: hostname(), pid: 2 });
  await assembled(cluster, 2);
  cluster.processEnded(1, 'it was ended by SIGKILL', 1);
  assert.equal(await cluster.until(() => cluster.workers.length === 1, LONG_MS), 'met');
  cluster.processEnded(2, 'it was ended by SIGKILL', 0);
  await assert.rejects(
    cluster.until(() => false, LONG_MS),
    /WORKER_LOST.*SIGKILL/,
  );
});
