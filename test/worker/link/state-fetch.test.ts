/** Taking the state from peers, most of it in virtual time: peers that die, do not have it yet, or give damaged bytes. */
import { systemHost, type WorkerHost } from '../../../src/host/host.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as zmq from 'zeromq';
import type { QuestionListener } from '../../../src/host/network.js';
import { encode } from '../../../src/wire/codec.js';
import { CHUNK_BYTES } from '../../../src/wire/state-pull.js';
import { StateFetch } from '../../../src/worker/link/state-fetch.js';
import type { Offer } from '../../../src/worker/link/part-digests.js';
import { serveState } from '../../../src/worker/link/state-server.js';
import { inVirtualTime, type VirtualStage } from '../../simulation/virtual-stage.js';

const TOKEN = '0123456789abcdef';
const STEP = 7;

function pattern(length: number, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) + salt) & 255);
}

const PARTS: Readonly<Record<string, Uint8Array>> = {
  weights: pattern(9 * CHUNK_BYTES + 5, 1),
  exp_avg: pattern(3 * CHUNK_BYTES, 2),
};
const whole: Offer = (part, step) => (step === STEP ? PARTS[part] : undefined);

interface After {
  after(end: () => unknown): void;
}

async function serve(t: After, offer: Offer, host: WorkerHost = systemHost): Promise<QuestionListener> {
  const server = await serveState(host, { host: '127.0.0.1' }, TOKEN, offer);
  t.after(async () => server.close());
  return server;
}

/** As `serve`, in a process of its own in virtual time. */
async function serveOn(stage: VirtualStage, offer: Offer): Promise<QuestionListener> {
  return serve(stage, offer, stage.host());
}

function memory(): Record<string, SharedArrayBuffer> {
  const parts = Object.entries(PARTS).map(([name, { byteLength }]) => [
    name,
    new SharedArrayBuffer(byteLength),
  ]);
  return Object.fromEntries(parts) as Record<string, SharedArrayBuffer>;
}

function assertWhole(taken: Readonly<Record<string, SharedArrayBuffer>>): void {
  for (const [name, bytes] of Object.entries(PARTS)) {
    assert.ok(Buffer.from(taken[name]!).equals(bytes), name);
  }
}

test('all parts arrive, bit for bit', async (t) => {
  const server = await serve(t, whole);
  const target = memory();
  const fetched = await new StateFetch(systemHost, STEP, TOKEN, target).run([server.endpoint]);
  assertWhole(target);
  assert.deepEqual(fetched, { bytes: 12 * CHUNK_BYTES + 5, changes: 0 });
});

test(
  'when the giver dies in the middle another one goes on with what is missing',
  inVirtualTime(async (stage) => {
    const given = { first: 0, second: 0 };
    const count =
      (who: keyof typeof given): Offer =>
      (part, step) => {
        given[who]++;
        return whole(part, step);
      };
    const second = await serveOn(stage, count('second'));
    let dies = (): void => undefined;
    const first: QuestionListener = await serveOn(stage, (part, step) => {
      if (given.first === 4) dies();
      return count('first')(part, step);
    });
    dies = () => void first.close();
    const target = memory();
    const fetched = await new StateFetch(stage.host(), STEP, TOKEN, target).run([
      first.endpoint,
      second.endpoint,
    ]);
    assertWhole(target);
    assert.equal(fetched.changes, 1);
    // 13 pieces and two digests in all; what was lost on the way is asked for again.
    assert.ok(given.second < 15, `the second gave ${given.second}`);
  }),
);

test(
  'a transfer that was called off goes on where it was, from another giver',
  inVirtualTime(async (stage) => {
    const server = await serveOn(stage, whole);
    let given = 0;
    const half = await serveOn(stage, (part, step) => {
      if (++given === 5) fetch.stop(new Error('a new generation'));
      return whole(part, step);
    });
    const target = memory();
    const fetch = new StateFetch(stage.host(), STEP, TOKEN, target);
    await assert.rejects(fetch.run([half.endpoint]), /a new generation/);
    const before = fetch.messages;
    await fetch.run([server.endpoint]);
    assertWhole(target);
    assert.ok(before > 0 && fetch.messages < 20);
  }),
);

test(
  'a peer that has not applied the last commit yet is asked again until it has',
  inVirtualTime(async (stage) => {
    let held = STEP - 1;
    stage.clock.after(150, () => (held = STEP));
    const server = await serveOn(stage, (part, step) => (step === held ? PARTS[part] : undefined));
    const target = memory();
    await new StateFetch(stage.host(), STEP, TOKEN, target).run([server.endpoint]);
    assertWhole(target);
  }),
);

test(
  'if a peer never has the state, another one is asked',
  inVirtualTime(async (stage) => {
    const behind = await serveOn(stage, () => undefined);
    const good = await serveOn(stage, whole);
    const target = memory();
    const fetch = new StateFetch(stage.host(), STEP, TOKEN, target, 150);
    const { changes } = await fetch.run([behind.endpoint, good.endpoint]);
    assertWhole(target);
    assert.equal(changes, 1);
    // 13 pieces and two digests: that a giver has nothing is no progress.
    assert.equal(fetch.messages, 15);
  }),
);

/** The first giver is left, and the whole state comes from the second. */
async function assertTakenFromSecond(stage: VirtualStage, first: string, second: string): Promise<void> {
  const target = memory();
  const { changes } = await new StateFetch(stage.host(), STEP, TOKEN, target).run([first, second]);
  assertWhole(target);
  assert.equal(changes, 1);
}

const shorter: Offer = (part) => (part === 'weights' ? PARTS[part]!.subarray(1) : PARTS[part]);

test(
  'a giver of a state of another size is left for another',
  inVirtualTime(async (stage) => {
    const bad = await serveOn(stage, shorter);
    const good = await serveOn(stage, whole);
    await assertTakenFromSecond(stage, bad.endpoint, good.endpoint);
  }),
);

test(
  'where every giver has a state of another size the transfer fails, and says so',
  inVirtualTime(async (stage) => {
    const bad = await serveOn(stage, shorter);
    const other = await serveOn(stage, shorter);
    const failing = new StateFetch(stage.host(), STEP, TOKEN, memory()).run([bad.endpoint, other.endpoint]);
    await assert.rejects(failing, {
      code: 'STATE_TRANSFER_FAILED',
      message: /weights has \d+ bytes, expected/,
    });
  }),
);

test(
  'a part that arrives damaged is taken again, from another giver',
  inVirtualTime(async (stage) => {
    const good = await serveOn(stage, whole);
    // Says the digest of something else than it gives.
    let calls = 0;
    const other = pattern(PARTS['weights']!.length, 9);
    const bad = await serveOn(stage, (part) => (part === 'weights' && calls++ < 10 ? other : PARTS[part]));
    await assertTakenFromSecond(stage, bad.endpoint, good.endpoint);
  }),
);

test("a request without the run's token gets nothing, and garbage does no harm", async (t) => {
  const server = await serve(t, whole);
  const unknown = new zmq.Dealer({ linger: 0, receiveTimeout: 300 });
  t.after(() => unknown.close());
  unknown.connect(server.endpoint);
  const request = { transfer: 1, part: 'weights', offset: 0, length: 100, step: STEP, runToken: 'guessed' };
  await unknown.send(encode('stateRequest', request));
  await unknown.send('nonsense');
  await assert.rejects(unknown.receive(), { code: 'EAGAIN' });
  const target = memory();
  await new StateFetch(systemHost, STEP, TOKEN, target).run([server.endpoint]);
  assertWhole(target);
});

test(
  'without peers there is nothing to wait for',
  inVirtualTime(async (stage) => {
    await assert.rejects(new StateFetch(stage.host(), STEP, TOKEN, memory()).run([]), {
      code: 'STATE_TRANSFER_FAILED',
    });
  }),
);
