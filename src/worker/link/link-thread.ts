/** Entry of the communication thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { Communication } from './communication.js';
import type { FromLink, LinkSettings, ToLink } from './link-contract.js';

const port = parentPort!;
const communication = new Communication(workerData as LinkSettings, (message: FromLink) =>
  port.postMessage(message),
);
port.on('message', (message: ToLink) => {
  void communication.handle(message).then(() => {
    // Nothing is left to do after close: let the thread end by itself.
    if (message.kind === 'call' && message.name === 'close') port.close();
  });
});
await communication.open();
