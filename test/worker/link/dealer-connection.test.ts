/** One connection over a real socket: what is sent arrives in order, and nonsense harms nobody. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as zmq from 'zeromq';
import { decode, encode, type Message } from '../../../src/wire/codec.js';
import { DealerConnection } from '../../../src/host/zeromq/dealer-connection.js';

interface Rig {
  readonly router: zmq.Router;
  readonly connection: DealerConnection;
  /** The next message of the protocol that has come to the connection. */
  readonly next: () => Promise<Message>;
}

async function rig(t: TestContext): Promise<Rig> {
  const router = new zmq.Router({ linger: 0, receiveTimeout: 5000 });
  t.after(() => router.close());
  await router.bind('tcp://127.0.0.1:*');
  const come: Message[] = [];
  let wake = (): void => undefined;
  const connection = new DealerConnection(router.lastEndpoint!, {}, (message) => {
    come.push(message);
    wake();
  });
  t.after(() => connection.close());
  const next = async (): Promise<Message> => {
    while (come.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return come.shift()!;
  };
  return { router, connection, next };
}

const bytesOf = (step: number): Uint8Array => encode('digestRequest', { step });

test('messages arrive in the order in which they were sent', async (t) => {
  const { router, connection } = await rig(t);
  for (const step of [1, 2, 3]) connection.send('digestRequest', { step });
  for (const step of [1, 2, 3]) {
    const decoded = decode((await router.receive())[1]!);
    assert.deepEqual(decoded.ok && decoded.message.body, { step });
  }
});

test('nonsense and messages of several frames are left out', async (t) => {
  const { router, connection, next } = await rig(t);
  connection.send('digestRequest', { step: 0 });
  const [identity] = await router.receive();
  await router.send([identity!, 'nonsense']);
  await router.send([identity!, bytesOf(8), bytesOf(9)]);
  await router.send([identity!, bytesOf(7)]);
  assert.deepEqual((await next()).body, { step: 7 });
});

test('what was queued leaves before the end, and nothing after it', async (t) => {
  const { router, connection } = await rig(t);
  connection.send('digestRequest', { step: 4 });
  await connection.finish(1000);
  connection.send('digestRequest', { step: 5 });
  const decoded = decode((await router.receive())[1]!);
  assert.deepEqual(decoded.ok && decoded.message.body, { step: 4 });
  router.receiveTimeout = 100;
  await assert.rejects(router.receive(), { code: 'EAGAIN' });
});

test('an address that is none is refused', () => {
  assert.throws(() => new DealerConnection('tcp://nowhere', {}, () => undefined), {
    code: 'ADDRESS_INVALID',
  });
});
