/** An evaluation over workers of which one lies: it is taken out, and the others do its part. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateOnCluster } from '../../src/coordinator/evaluation.js';
import { sealManifest } from '../../src/run/dataset/manifest-digest.js';
import type { Body } from '../../src/wire/codec.js';
import { assembled, LONG_MS, openCluster, Peer } from './cluster-peer.js';

const LABELS = [0, 1, 0, 1, 0, 1];
const MANIFEST = sealManifest(
  ['a', 'b'],
  [],
  [],
  LABELS.map((label, i) => ({ path: `val/${i}.png`, bytes: 1, label })),
);
const OPTIONS = {
  manifest: MANIFEST,
  split: 'val' as const,
  microBatch: 1,
  useEma: false,
  step: 0,
  timeoutMs: LONG_MS,
  interrupted: () => false,
};

/** What a worker that always says class 0 answers. */
function answer({ evaluation, microBatches }: Body<'evaluationPlan'>): Body<'evaluationDone'> {
  const samples = microBatches.flatMap((m) => m.samples);
  const correct = samples.filter((sample) => LABELS[sample] === 0).length;
  return { evaluation, lossSum: samples.length * 2 ** 24, correct, predictions: samples.map(() => 0) };
}

test('a worker with an impossible report is removed, and another does its part', async (t) => {
  const { cluster, events } = await openCluster(t, 2);
  const peers = [new Peer(t, cluster.address), new Peer(t, cluster.address)] as const;
  for (const peer of peers) await peer.join();
  await assembled(cluster, 2);
  const evaluating = evaluateOnCluster(cluster, OPTIONS);
  evaluating.catch(() => undefined);
  const [sound, lie] = [
    await peers[0].receiveOf('evaluationPlan'),
    await peers[1].receiveOf('evaluationPlan'),
  ];
  await peers[1].send('evaluationDone', { ...answer(lie), correct: 1000 });
  await peers[0].send('evaluationDone', answer(sound));
  assert.equal((await peers[1].receiveOf('whoAreYou')).discardState, true);
  const more = await peers[0].receiveOf('evaluationPlan');
  assert.deepEqual(more.microBatches, lie.microBatches);
  await peers[0].send('evaluationDone', answer(more));
  const evaluation = await evaluating;
  assert.ok(evaluation !== null);
  const { lossSum, correct, samples, confusion } = evaluation;
  assert.deepEqual([lossSum, correct, samples], [6, 3, 6]);
  assert.deepEqual(confusion.confusion, [
    [3, 0],
    [3, 0],
  ]);
  assert.match(events.find(({ kind }) => kind === 'expelled')!.text, /PROTOCOL_GARBAGE.*worker 1/);
});

test('an impossible report of the only worker that holds the state ends the run', async (t) => {
  const { cluster } = await openCluster(t, 2);
  const [sole, joiner] = [new Peer(t, cluster.address), new Peer(t, cluster.address)];
  await sole.join();
  await joiner.join({}, { hasState: false });
  await assembled(cluster, 2);
  const evaluating = assert.rejects(evaluateOnCluster(cluster, OPTIONS), { code: 'PROTOCOL_GARBAGE' });
  const plan = await sole.receiveOf('evaluationPlan');
  await sole.send('evaluationDone', { ...answer(plan), predictions: [] });
  await evaluating;
});

test('an evaluation that is aborted does not wait for workers', async (t) => {
  const { cluster } = await openCluster(t, 1);
  const peer = new Peer(t, cluster.address);
  await peer.join();
  await assembled(cluster, 1);
  let stop = false;
  const evaluating = evaluateOnCluster(cluster, { ...OPTIONS, interrupted: () => stop });
  await peer.receiveOf('evaluationPlan');
  stop = true;
  assert.equal(await evaluating, null);
});
