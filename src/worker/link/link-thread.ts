/** Entry of the communication thread. */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { Communication } from './communication.js';
import type { FromLink, LinkSettings, ToLink } from './link-contract.js';

/**
 * libzmq's own thread still frees what belonged to closed sockets: ended under it, a process aborts with a corrupted
 * heap (7 of 50 refused workers; none of 40 with this pause).
 */
const SETTLE_MS = 150;

const port = parentPort!;
const communication = new Communication(workerData as LinkSettings, (message: FromLink) =>
  port.postMessage(message),
);
port.on('message', (message: ToLink) => {
  void communication.handle(message).then(async () => {
    if (message.kind !== 'call' || message.name !== 'close') return;
    await delay(SETTLE_MS);
    // Nothing is left to do: let the thread end by itself.
    port.close();
  });
});
await communication.open();
