import { createHash } from 'node:crypto';
import { systemClock } from '../../src/host/clock.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHUNK_BYTES, noChunk, StatePull, stateChunk, type PieceRequest } from '../../src/wire/state-pull.js';

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

/** A chunk of a part that has these bytes at its start. */
function firstChunk(transfer: number, part: string, total: number, data: Uint8Array) {
  const sha256 = createHash('sha256').update(data).digest();
  return { transfer, part, offset: 0, total, data, unavailable: false, sha256 };
}

/** A pull that is answered from `bytes` as soon as it asks, newest request first: no order is promised. */
async function pullFrom(bytes: Uint8Array): Promise<Uint8Array> {
  const requests: PieceRequest[] = [];
  const pull = new StatePull(systemClock, 1, 'weights', (request) => requests.push(request));
  const done = pull.run();
  for (let request = requests.pop(); request !== undefined; request = requests.pop()) {
    pull.accept(stateChunk(request, bytes));
  }
  return done;
}

test('a part arrives whole, whatever its size', async () => {
  for (const length of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 7 * CHUNK_BYTES + 5]) {
    assert.ok(Buffer.from(await pullFrom(pattern(length))).equals(pattern(length)), `${length} bytes`);
  }
});

test('no more than a window of requests is under way', async () => {
  let requests = 0;
  const pull = new StatePull(systemClock, 1, 'weights', () => requests++);
  const done = pull.run();
  const total = 100 * CHUNK_BYTES;
  const data = new Uint8Array(CHUNK_BYTES);
  pull.accept(firstChunk(1, 'weights', total, data));
  assert.equal(requests, 5);
  pull.fail(new Error('enough'));
  await assert.rejects(done, /enough/);
});

test('chunks of another transfer or part are ignored', async () => {
  const pull = new StatePull(systemClock, 2, 'weights', () => undefined);
  const done = pull.run();
  const data = Uint8Array.of(1, 2);
  pull.accept(firstChunk(1, 'weights', 2, Uint8Array.of(9, 9)));
  pull.accept(firstChunk(2, 'ema', 2, Uint8Array.of(9, 9)));
  pull.accept({ ...firstChunk(2, 'weights', 2, data), offset: 1 });
  pull.accept(firstChunk(2, 'weights', 2, data));
  assert.deepEqual([...(await done)], [1, 2]);
});

test('a part of another size than expected fails', async () => {
  const pull = new StatePull(systemClock, 1, 'weights', () => undefined, new Uint8Array(4));
  const done = pull.run();
  pull.accept(firstChunk(1, 'weights', 8, new Uint8Array(8)));
  await assert.rejects(done, /weights has 8 bytes, expected 4/);
});

test('a request beyond the end gets an empty chunk', () => {
  const chunk = stateChunk({ transfer: 1, part: 'x', offset: 50, length: 10 }, new Uint8Array(3));
  assert.equal(chunk.offset, 3);
  assert.equal(chunk.data.byteLength, 0);
});

test('a chunk that comes twice does not complete a part with a hole', async () => {
  const bytes = pattern(2 * CHUNK_BYTES);
  const requests: PieceRequest[] = [];
  const pull = new StatePull(systemClock, 1, 'weights', (request) => requests.push(request));
  const done = pull.run();
  const first = stateChunk(requests[0]!, bytes);
  pull.accept(first);
  pull.accept(first);
  pull.accept(stateChunk(requests[1]!, bytes));
  assert.ok(Buffer.from(await done).equals(bytes));
});

for (const [what, chunk] of [
  ['a negative size', { total: -1, data: new Uint8Array(0) }],
  ['a size that is no number', { total: NaN, data: new Uint8Array(0) }],
  ['a size beyond all models', { total: 2 ** 50, data: new Uint8Array(CHUNK_BYTES) }],
  ['fewer bytes than asked for', { total: 10, data: new Uint8Array(9) }],
] as const) {
  test(`a giver that announces ${what} is not believed`, async () => {
    const pull = new StatePull(systemClock, 1, 'weights', () => undefined);
    const done = pull.run();
    pull.accept(firstChunk(1, 'weights', chunk.total, chunk.data));
    await assert.rejects(done, /weights/);
  });
}

test('a part goes on with another giver where the first left off', async () => {
  const bytes = pattern(6 * CHUNK_BYTES + 3);
  const asked: PieceRequest[][] = [[], []];
  const pull = new StatePull(systemClock, 1, 'weights', (request) => asked[0]!.push(request));
  const done = pull.run();
  pull.accept(stateChunk(asked[0]!.shift()!, bytes));
  pull.accept(stateChunk(asked[0]!.shift()!, bytes));
  pull.resume((request) => asked[1]!.push(request));
  // Three were under way with the giver that is gone, and a fourth would have been next.
  const offsets = asked[1]!.map(({ offset }) => offset / CHUNK_BYTES);
  assert.deepEqual(offsets, [2, 3, 4, 5]);
  for (let next = asked[1]!.shift(); next !== undefined; next = asked[1]!.shift()) {
    pull.accept(stateChunk(next, bytes));
  }
  assert.ok(Buffer.from(await done).equals(bytes));
});

/** A pull whose chunks come with a changed byte, `times` times. */
async function damagedPull(bytes: Uint8Array, times: number): Promise<Uint8Array> {
  const requests: PieceRequest[] = [];
  const pull = new StatePull(systemClock, 1, 'weights', (request) => requests.push(request));
  const done = pull.run();
  let left = times;
  for (let request = requests.shift(); request !== undefined; request = requests.shift()) {
    const chunk = stateChunk(request, bytes);
    const data = Uint8Array.from(chunk.data);
    if (left-- > 0) data[5]! ^= 1;
    pull.accept({ ...chunk, data });
  }
  return done;
}

test('a chunk that arrives with another byte in it is asked for again, but not for ever', async () => {
  const bytes = pattern(2 * CHUNK_BYTES + 9);
  for (const times of [1, 3]) assert.ok(Buffer.from(await damagedPull(bytes, times)).equals(bytes));
  await assert.rejects(damagedPull(bytes, 4), /weights came damaged 4 times/);
});

test('a giver that does not hold the state fails the part', async () => {
  const pull = new StatePull(systemClock, 1, 'weights', () => undefined);
  const done = pull.run();
  pull.accept(noChunk({ transfer: 1, part: 'weights', offset: 0, length: 1 }));
  await assert.rejects(done, /does not hold weights/);
});
