/** Entry of the communication thread. */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { systemHost } from '../../host/host.js';
import { CLOSE_LINGER_MS, Communication } from './communication.js';
import type { FromLink, LinkSettings, ToLink } from './link-contract.js';

/**
 * Messages above 128 bytes are sent from this thread's own memory. libzmq's thread gives that memory back when the message
 * has left or its linger time is over. This thread must still exist then; otherwise the process aborts at its end, with a
 * corrupted heap or with "Invalid argument" from a destroyed lock.
 */
const SETTLE_MS = CLOSE_LINGER_MS + 150;

const port = parentPort!;
const tell = (message: FromLink): void => port.postMessage(message);
const communication = new Communication(systemHost, workerData as LinkSettings, tell);
port.on('message', (message: ToLink) => {
  void communication.handle(message).then(async () => {
    if (message.kind !== 'call' || message.name !== 'close') return;
    await delay(SETTLE_MS);
    // The thread ends by itself when it has nothing left to do.
    port.close();
  });
});
await communication.open();
