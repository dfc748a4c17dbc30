/** Starts the communication thread. */
import { Worker } from 'node:worker_threads';
import { LINK_THREAD } from '../../host/programs.js';
import type { FromLink, LinkSettings, LinkThread } from './link-contract.js';

export function startLinkThread(settings: LinkSettings): LinkThread {
  const thread = new Worker(LINK_THREAD, { workerData: settings });
  return {
    start: ({ onMessage, onError, onExit }) => {
      thread.on('message', (message: FromLink) => onMessage(message));
      thread.on('error', onError);
      thread.once('exit', onExit);
    },
    post: (message) => thread.postMessage(message),
    terminate: () => void thread.terminate(),
  };
}
