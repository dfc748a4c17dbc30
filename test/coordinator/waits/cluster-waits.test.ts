/** Every wait of a cluster ends, when it says, and tells for whom it waited: in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringStallCheck } from '../../../src/coordinator/waits/ring-stall.js';
import { agreedState } from '../../../src/coordinator/recovery/state-audit.js';
import type { Cluster } from '../../../src/coordinator/cluster.js';
import { Phase } from '../../../src/wire/codec.js';
import { inVirtualTime, type VirtualStage } from '../../simulation/virtual-stage.js';
import { BEAT, LONG_MS } from '../cluster-peer.js';
import { running, type VirtualPeer } from '../virtual-cluster.js';

/** A message is on its way for at most so long, and the cluster looks around so often. */
const SLACK_MS = 200;

function stepDone(cluster: Cluster, step: number, timeoutMs: number, from = cluster.workers) {
  const { clock } = cluster;
  const stallCheck = ringStallCheck({ step, ring: from }, () => cluster.members, {
    stallMs: LONG_MS,
    plannedMs: clock.now(),
    now: () => clock.now(),
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

/** The peer says every 20 ms that it has come further. @returns what ends that */
function busy({ clock }: VirtualStage, peer: VirtualPeer): () => void {
  let progress = 1;
  const timer = clock.every(20, () => void peer.send('heartbeat', { ...BEAT, progress: progress++ }));
  return () => timer.cancel();
}

test(
  'a silent worker is lost when it was to be, and the wait for it ends with its number',
  inVirtualTime(async (stage) => {
    const { cluster, events } = await running(stage, 1, 1000);
    const startMs = stage.clock.now();
    const { lost, answers } = await stepDone(cluster, 5, LONG_MS);
    assert.deepEqual([lost, answers.size], [[0], 0]);
    const tookMs = stage.clock.now() - startMs;
    assert.ok(tookMs > 1000 - SLACK_MS && tookMs < 1000 + SLACK_MS, `${tookMs} ms`);
    assert.match(events.at(-1)!.text, /WORKER_LOST: worker 0 .* step 5 .*silent/);
    await assert.rejects(cluster.pull(0, 'weights', 5), { code: 'WORKER_LOST' });
  }),
);

test(
  'a state transfer ends with its giver',
  inVirtualTime(async (stage) => {
    const { cluster, peers } = await running(stage, 1);
    const pulling = cluster.pull(0, 'weights', 0);
    assert.equal((await peers[0]!.receiveOf('stateRequest')).part, 'weights');
    peers[0]!.close();
    await assert.rejects(pulling, /WORKER_LOST.*state transfer/);
    assert.ok(stage.clock.now() < SLACK_MS, 'at once');
  }),
);

test(
  'a wait goes on while the worker that is waited for makes progress, and no longer',
  inVirtualTime(async (stage) => {
    const { cluster, peers } = await running(stage, 1);
    const idle = busy(stage, peers[0]!);
    stage.clock.after(1300, idle);
    const startMs = stage.clock.now();
    await assert.rejects(stepDone(cluster, 1, 800), { code: 'STEP_TIMEOUT' });
    const tookMs = stage.clock.now() - startMs;
    assert.ok(tookMs > 2050 && tookMs < 2100 + SLACK_MS, `${tookMs} ms`);
  }),
);

test(
  'a worker that hangs is removed with a verdict: who, where, since when, its last log lines',
  inVirtualTime(async (stage) => {
    const { cluster, events, peers } = await running(stage, 2);
    busy(stage, peers[0]!);
    await peers[1]!.send('heartbeat', { ...BEAT, logLines: ['{"msg":"the disk is slow"}'] });
    const { lost } = await stepDone(cluster, 1, 500);
    assert.deepEqual(lost, [1]);
    const verdict = events.find(({ kind }) => kind === 'hung')!;
    assert.match(verdict.text, /worker 1 .*hangs in step 1 during compute; nothing new for \d+ ms/);
    assert.match(verdict.text, /it last logged: the disk is slow/);
    assert.ok(await peers[1]!.receiveOf('whoAreYou'));
  }),
);

test(
  'a worker that waits in the ring for one that hangs is not taken for hung itself',
  inVirtualTime(async (stage) => {
    const { cluster, peers } = await running(stage, 2);
    await peers[0]!.send('heartbeat', { ...BEAT, phase: Phase.PHASE_ALL_REDUCE });
    await peers[1]!.send('heartbeat', { ...BEAT, phase: Phase.PHASE_COMPUTE });
    assert.deepEqual((await stepDone(cluster, 1, 400)).lost, [1]);
  }),
);

test(
  'a worker that hangs after the all-reduce is found where nobody looks at the ring as a whole',
  inVirtualTime(async (stage) => {
    const { cluster, peers } = await running(stage, 2);
    // Told to commit, and its training thread hangs before that.
    await peers[1]!.send('heartbeat', { ...BEAT, phase: Phase.PHASE_COMMIT_WAIT });
    const { lost } = await cluster.waitForAnswers({
      name: 'updateDone',
      step: 1,
      from: [1],
      matches: () => true,
      timeoutMs: 400,
    } as const);
    assert.deepEqual(lost, [1]);
    assert.ok(stage.clock.now() < 400 + 2 * SLACK_MS);
  }),
);

test(
  'a ring of one waits for nobody: where it hangs it is found',
  inVirtualTime(async (stage) => {
    const { cluster, peers } = await running(stage, 1);
    await peers[0]!.send('heartbeat', { ...BEAT, phase: Phase.PHASE_ALL_REDUCE });
    await assert.rejects(
      stepDone(cluster, 1, 400),
      /STEP_TIMEOUT: nothing moved in step 1 .* worker 0 \(all reduce\)/,
    );
  }),
);

test(
  'a wait is cut short when enough is known',
  inVirtualTime(async (stage) => {
    const { cluster } = await running(stage, 1);
    const options = {
      name: 'stepDone',
      step: 1,
      from: [0],
      matches: () => true,
      timeoutMs: LONG_MS,
    } as const;
    const stallCheck = { found: () => true, excuses: () => true };
    const { cut, lost } = await cluster.waitForAnswers(Object.assign({ stallCheck }, options));
    assert.deepEqual([cut, lost], [true, []]);
  }),
);

test(
  'a phase that nobody knows harms nobody',
  inVirtualTime(async (stage) => {
    const { cluster, events, peers } = await running(stage, 1, 1000);
    await peers[0]!.send('heartbeat', { ...BEAT, phase: 99 });
    await stepDone(cluster, 1, LONG_MS);
    assert.match(events.at(-1)!.text, /during unknown/);
  }),
);

test(
  'a step in which all hang names who is waited for, and ends the run',
  inVirtualTime(async (stage) => {
    const { cluster } = await running(stage, 1);
    await assert.rejects(
      stepDone(cluster, 7, 50),
      /STEP_TIMEOUT: nothing moved in step 7 .* worker 0 \(idle\)/,
    );
  }),
);

test(
  'a worker that was removed and wakes up is told so, and joins again with another number',
  inVirtualTime(async (stage) => {
    const { cluster, events, peers } = await running(stage, 2, 1000);
    const [steady, sleeper] = [peers[0]!, peers[1]!];
    busy(stage, steady);
    await cluster.until(() => cluster.workers.length === 1, LONG_MS);
    assert.deepEqual(
      events
        .filter(({ kind }) => kind === 'suspected' || kind === 'lost')
        .map(({ kind, worker }) => [kind, worker]),
      [
        ['suspected', 1],
        ['lost', 1],
      ],
    );
    await sleeper.send('stepDone', {});
    await sleeper.send('heartbeat', BEAT);
    assert.match((await sleeper.receiveOf('whoAreYou')).reason, /silent for \d+ ms/);
    const welcome = await sleeper.join({ runToken: '00', microBatches: [1] });
    assert.equal(welcome.worker, 2);
    assert.equal(welcome.keepSum, false);
  }),
);

/** Answers the digest requests of all `peers`, worker i with `digests[i]`. */
async function answerAudit(peers: readonly VirtualPeer[], digests: readonly number[]): Promise<void> {
  for (const [i, peer] of peers.entries()) {
    const { step } = await peer.receiveOf('digestRequest');
    const sha256 = new Uint8Array(32).fill(digests[i]!);
    await peer.send('stateDigest', { step, parts: [{ part: 'weights', sha256 }] });
  }
}

test(
  'a worker that holds other weights than the majority is expelled, and the others agree',
  inVirtualTime(async (stage) => {
    const { cluster, events, peers } = await running(stage, 3);
    const agreed = agreedState(cluster, { step: 0, agreed: 0, timeoutMs: LONG_MS });
    await answerAudit(peers, [1, 1, 9]);
    await answerAudit(peers.slice(0, 2), [1, 1]);
    assert.equal((await agreed).get('weights'), '01'.repeat(32));
    assert.match(events.find(({ kind }) => kind === 'expelled')!.text, /STATE_MISMATCH: worker 2 /);
    assert.equal((await peers[2]!.receiveOf('whoAreYou')).discardState, true);
  }),
);

test(
  'of two workers that hold different weights neither is trusted',
  inVirtualTime(async (stage) => {
    const { cluster, peers } = await running(stage, 2);
    const agreed = agreedState(cluster, { step: 0, agreed: 0, timeoutMs: LONG_MS });
    await Promise.all([answerAudit(peers, [1, 2]), assert.rejects(agreed, { code: 'STATE_MISMATCH' })]);
  }),
);
