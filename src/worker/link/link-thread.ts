/** Entry of the communication thread. */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { systemHost } from '../../host/host.js';
import { CLOSE_LINGER_MS, Communication } from './communication.js';
import type { FromLink, LinkSettings, ToLink } from './link-contract.js';

/**
 * Messages above 128 bytes are sent from this thread's own memory, and libzmq's thread gives each back when it has left
 * or its linger time is over. By then this thread must still be there: otherwise the process aborts at its end (a
 * corrupted heap, or "Invalid argument" from a lock that is gone).
 */
const SETTLE_MS = CLOSE_LINGER_MS + 150;

const port = parentPort!;
const tell = (message: FromLink): void => port.postMessage(message);
const communication = new Communication(systemHost, workerData as LinkSettings, tell);
port.on('message', (message: ToLink) => {
  void communication.handle(message).then(async () => {
    if (message.kind !== 'call' || message.name !== 'close') return;
    await delay(SETTLE_MS);
    // With nothing left to do the thread ends by itself.
    port.close();
  });
});
await communication.open();
