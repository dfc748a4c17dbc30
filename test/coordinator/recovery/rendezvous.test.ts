/** Getting workers and state together, over real sockets, with the journal that a restart reads. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { nodeDisk } from '../../../src/host/disk.js';
import { Rendezvous } from '../../../src/coordinator/recovery/rendezvous.js';
import { readJournal } from '../../../src/run/journal/journal-file.js';
import { openRun } from '../../../src/coordinator/recovery/run-opening.js';
import { StateDiscredited } from '../../../src/coordinator/recovery/state-audit.js';
import type { TrainingProgress } from '../../../src/coordinator/trainer.js';
import type { OptionValues } from '../../../src/run/config/config.js';
import { coded } from '../../../src/errors/errors.js';
import { StateSource } from '../../../src/wire/codec.js';
import { BEAT, openCluster, Peer, READY } from '../cluster-peer.js';
import { runFixture, type RunFixture } from '../run-fixture.js';

const LOST = coded('STATE_LOST', { step: 4 });

/** A coordinator that opens the run folder of `fixture`, as far as its workers are concerned. */
async function opened(t: TestContext, fixture: RunFixture) {
  const opening = await openRun(fixture.definition, false);
  const { state, lastCommit, saved } = opening;
  const progress: TrainingProgress = { state, evaluation: null, final: null, lastCommit, saved, agreed: 0 };
  const rendezvous = new Rendezvous(fixture.definition, opening, progress);
  const journal = await fixture.journalOf(opening);
  fixture.begin();
  const { cluster, events } = await openCluster(t, 4, undefined, {
    position: () => rendezvous.position(),
    refuses: (ready) => rendezvous.refuses(ready),
    offer: (part) => rendezvous.offer(part),
  });
  const kinds = (): readonly string[] => events.map(({ kind }) => kind);
  const services = { cluster, journal, interrupted: () => false };
  const peer = (): Peer => new Peer(t, cluster.address);
  return { rendezvous, progress, services, cluster, events, kinds, peer, runToken: opening.runToken };
}

/** Joins with the state that the run starts with, and says what it holds when it is asked. */
async function joined(peer: Peer, digest = 1, step = 0): Promise<void> {
  const hello = await peer.join({}, { ...READY, step });
  assert.notEqual(hello.stateSource, StateSource.STATE_SOURCE_PEERS);
  await peer.send('heartbeat', BEAT);
  const request = await peer.receiveOf('digestRequest');
  const sha256 = new Uint8Array(32).fill(digest);
  await peer.send('stateDigest', { step: request.step, parts: [{ part: 'weights', sha256 }] });
}

const few: OptionValues = { workers: 3, joinTimeoutMs: 5000 };

test('the first worker says what the run is computed with, and the journal keeps it', async (t) => {
  const fixture = runFixture(t, { workers: 1 });
  const { rendezvous, services, peer } = await opened(t, fixture);
  const complete = rendezvous.complete(services);
  await joined(peer());
  assert.equal(await complete, true);
  assert.equal((await readJournal(nodeDisk, fixture.definition.config.out))?.backend, 'cpu');
});

test('an interrupted run refuses a worker with another backend, even the first one', async (t) => {
  const fixture = runFixture(t);
  await fixture.interruptedAt(3, 'wasm');
  const { rendezvous } = await opened(t, fixture);
  assert.equal(rendezvous.refuses({ ...READY, backend: 'cpu' })?.code, 'BACKEND_MISMATCH');
  assert.equal(rendezvous.refuses({ ...READY, backend: 'wasm' }), null);
});

test('an interrupted run goes on with one that holds its state and others that do not', async (t) => {
  const fixture = runFixture(t, { workers: 2, minWorkers: 2 });
  await fixture.interruptedAt(3, 'cpu');
  const { rendezvous, services, peer, runToken } = await opened(t, fixture);
  const complete = rendezvous.complete(services);
  const [survivor, fresh] = [peer(), peer()];
  await fresh.join({}, { hasState: false });
  await survivor.join({ runToken, step: 3 }, { step: 3 });
  const { step } = await survivor.receiveOf('digestRequest');
  await survivor.send('stateDigest', { step, parts: [] });
  assert.equal(await complete, true);
});

test('a run that has begun and rolled back goes on with one worker', async (t) => {
  const fixture = runFixture(t, few);
  const { rendezvous, progress, services, kinds, peer } = await opened(t, fixture);
  progress.state = fixture.stateAfter(4);
  await services.journal.commit(progress.state, 7, 'd', [0, 1, 2]);
  await rendezvous.rollBack(services, LOST);
  assert.deepEqual(kinds(), ['back']);
  const journal = await readJournal(nodeDisk, fixture.definition.config.out);
  assert.deepEqual([journal?.state.step, journal?.lastCommit, progress.state.step], [0, null, 0]);
  const complete = rendezvous.complete(services);
  await joined(peer());
  assert.equal(await complete, true);
});

test('a run that rolls back for the third time without having come further ends', async (t) => {
  const fixture = runFixture(t);
  const { rendezvous, progress, services } = await opened(t, fixture);
  for (let i = 0; i < 2; i++) {
    progress.state = fixture.stateAfter(4);
    await rendezvous.rollBack(services, LOST);
  }
  progress.state = fixture.stateAfter(4);
  await assert.rejects(
    rendezvous.rollBack(services, LOST),
    /NO_PROGRESS: .*back to step 0 3 times .*beyond step 4: STATE_LOST/,
  );
});

test('a rollback from a wrong state removes the outvoted worker, and trusts no state of the steps in between', async (t) => {
  const fixture = runFixture(t, few);
  const { rendezvous, progress, services, cluster, events, peer, runToken } = await opened(t, fixture);
  const odd = peer();
  await odd.join();
  assert.equal(await cluster.until(() => cluster.ready.length === 1, 5000), 'met');
  progress.state = fixture.stateAfter(4);
  const reason = coded('STATE_MISMATCH', { worker: 0, part: 'weights', step: 4 });
  await rendezvous.rollBack(services, new StateDiscredited(reason, [0]));
  assert.equal((await odd.receiveOf('whoAreYou')).discardState, true);
  assert.match(events.find(({ kind }) => kind === 'expelled')!.text, /worker 0 holds a different weights/);
  const sleeper = peer();
  progress.state = fixture.stateAfter(3);
  const { stateSource } = await sleeper.join({ runToken, step: 3 });
  assert.equal(stateSource, StateSource.STATE_SOURCE_PEERS);
});

test('handing the state over to a checkpoint is no rollback', async (t) => {
  const fixture = runFixture(t, few);
  const { rendezvous, services, kinds, peer } = await opened(t, fixture);
  await rendezvous.takeOver(services);
  assert.deepEqual(kinds(), ['waiting']);
  const complete = rendezvous.complete(services);
  await joined(peer());
  assert.equal(await complete, true);
});

test('where the checkpoint of a hand-over is gone the run rolls back to another', async (t) => {
  const fixture = runFixture(t);
  const { rendezvous, progress, services, kinds } = await opened(t, fixture);
  progress.state = fixture.stateAfter(4);
  await rendezvous.takeOver(services);
  assert.deepEqual([kinds(), progress.state.step], [['waiting', 'back'], 0]);
});
