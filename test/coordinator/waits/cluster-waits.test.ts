/** Every wait of a cluster ends, and says for whom it waited, over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringStallCheck } from '../../../src/coordinator/waits/ring-stall.js';
import { agreedState } from '../../../src/coordinator/recovery/state-audit.js';
import type { Cluster } from '../../../src/coordinator/cluster.js';
import { Phase } from '../../../src/wire/codec.js';
import { assembled, BEAT, LONG_MS, openCluster, Peer } from '../cluster-peer.js';

function stepDone(cluster: Cluster, step: number, timeoutMs: number, from = cluster.workers) {
  const stallCheck = ringStallCheck({ step, ring: from }, () => cluster.members, {
    stallMs: LONG_MS,
    plannedMs: performance.now(),
    now: () => performance.now(),
  });
  return cluster.waitForAnswers({
    name: 'stepDone',
    step,
    from,
    matches: () => true,
    timeoutMs,
    ...(stallCheck && { stallCheck }),
  });
}

test('a silent worker is lost, and the wait for it ends with its number', async (t) => {
  const { cluster, events } = await openCluster(t, 1, 1000);
  await new Peer(t, cluster.address).join();
  await assembled(cluster, 1);
  const { lost, answers } = await stepDone(cluster, 5, LONG_MS);
  assert.deepEqual([lost, answers.size], [[0], 0]);
  assert.match(events.at(-1)!.text, /WORKER_LOST: worker 0 .* step 5 .*silent/);
  await assert.rejects(cluster.pull(0, 'weights', 5), { code: 'WORKER_LOST' });
});

test('a state transfer ends with its giver', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  const pulling = cluster.pull(0, 'weights', 0);
  assert.equal((await peer.receiveOf('stateRequest')).part, 'weights');
  peer.socket.close();
  await assert.rejects(pulling, /WORKER_LOST.*state transfer/);
});

test('a wait goes on while the worker that is waited for makes progress', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  let progress = 1;
  const busy = setInterval(() => void peer.send('heartbeat', { ...BEAT, progress: progress++ }), 20);
  t.after(() => clearInterval(busy));
  const late = assert.rejects(stepDone(cluster, 1, 800), { code: 'STEP_TIMEOUT' });
  setTimeout(() => clearInterval(busy), 1300);
  const startMs = performance.now();
  await late;
  assert.ok(performance.now() - startMs > 1250);
});

test('a worker that hangs is taken out with a verdict: who, where, since when, its last words', async (t) => {
  const { cluster, events } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  let progress = 1;
  const busy = setInterval(() => void peers[0]!.send('heartbeat', { ...BEAT, progress: progress++ }), 50);
  t.after(() => clearInterval(busy));
  await peers[1]!.send('heartbeat', { ...BEAT, logLines: ['{"msg":"the disk is slow"}'] });
  const { lost } = await stepDone(cluster, 1, 500);
  assert.deepEqual(lost, [1]);
  const verdict = events.find(({ kind }) => kind === 'hung')!;
  assert.match(verdict.text, /worker 1 .*hangs in step 1 during compute; nothing new for \d+ ms/);
  assert.match(verdict.text, /it last logged: the disk is slow/);
  assert.ok(await peers[1]!.receiveOf('whoAreYou'));
});

test('a worker that waits in the ring for one that hangs is not taken for hung itself', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  await peers[0]!.send('heartbeat', { ...BEAT, phase: 4 });
  await peers[1]!.send('heartbeat', { ...BEAT, phase: 3 });
  assert.deepEqual((await stepDone(cluster, 1, 400)).lost, [1]);
});

test('a worker that hangs after the all-reduce is found where nobody looks at the ring as a whole', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  // Told to commit, and its training thread hangs before that.
  await peers[1]!.send('heartbeat', { ...BEAT, phase: Phase.PHASE_COMMIT_WAIT });
  const gathering = cluster.waitForAnswers({
    name: 'updateDone',
    step: 1,
    from: [1],
    matches: () => true,
    timeoutMs: 400,
  } as const);
  const { lost } = await Promise.race([
    gathering,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('the wait does not end')), 5000).unref();
    }),
  ]);
  assert.deepEqual(lost, [1]);
});

test('a ring of one waits for nobody: where it hangs it is found', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  await peer.send('heartbeat', { ...BEAT, phase: Phase.PHASE_ALL_REDUCE });
  await assert.rejects(
    stepDone(cluster, 1, 400),
    /STEP_TIMEOUT: nothing moved in step 1 .* worker 0 \(all reduce\)/,
  );
});

test('a wait is cut short when enough is known', async (t) => {
  const { cluster } = await openCluster(t, 1);
  await new Peer(t, cluster.address).join();
  await assembled(cluster, 1);
  const options = { name: 'stepDone', step: 1, from: [0], matches: () => true, timeoutMs: LONG_MS } as const;
  const { cut, lost } = await cluster.waitForAnswers({
    ...options,
    stallCheck: { found: () => true, excuses: () => true },
  });
  assert.deepEqual([cut, lost], [true, []]);
});

test('a phase that nobody knows harms nobody', async (t) => {
  const { cluster, events } = await openCluster(t, 1, 1000);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  await peer.send('heartbeat', { ...BEAT, phase: 99 });
  await stepDone(cluster, 1, LONG_MS);
  assert.match(events.at(-1)!.text, /during unknown/);
});

test('a step in which all hang names who is waited for, and ends the run', async (t) => {
  const { cluster } = await openCluster(t, 1);
  await new Peer(t, cluster.address).join();
  await assembled(cluster, 1);
  await assert.rejects(
    stepDone(cluster, 7, 50),
    /STEP_TIMEOUT: nothing moved in step 7 .* worker 0 \(idle\)/,
  );
});

/** Answers the digest requests of all `peers`, worker i with `digests[i]`. */
async function answerAudit(peers: readonly Peer[], digests: readonly number[]): Promise<void> {
  for (const [i, peer] of peers.entries()) {
    const { step } = await peer.receiveOf('digestRequest');
    const sha256 = new Uint8Array(32).fill(digests[i]!);
    await peer.send('stateDigest', { step, parts: [{ part: 'weights', sha256 }] });
  }
}

test('a worker that holds other weights than the majority is expelled, and the others agree', async (t) => {
  const { cluster, events } = await openCluster(t, 3);
  const peers = [0, 1, 2].map(() => new Peer(t, cluster.address));
  for (const peer of peers) await peer.join();
  await assembled(cluster, 3);
  const agreed = agreedState(cluster, { step: 0, agreed: 0, timeoutMs: LONG_MS });
  await answerAudit(peers, [1, 1, 9]);
  await answerAudit(peers.slice(0, 2), [1, 1]);
  assert.equal((await agreed).get('weights'), '01'.repeat(32));
  assert.match(events.find(({ kind }) => kind === 'expelled')!.text, /STATE_MISMATCH: worker 2 /);
  assert.equal((await peers[2]!.receiveOf('whoAreYou')).discardState, true);
});

test('of two workers that hold different weights neither is trusted', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const peers = [0, 1].map(() => new Peer(t, cluster.address));
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  const agreed = agreedState(cluster, { step: 0, agreed: 0, timeoutMs: LONG_MS });
  await Promise.all([answerAudit(peers, [1, 2]), assert.rejects(agreed, { code: 'STATE_MISMATCH' })]);
});
