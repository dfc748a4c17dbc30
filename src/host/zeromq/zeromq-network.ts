/** The sockets of a run, made with ZeroMQ. */
import type { CoordinatorNetwork, WorkerNetwork } from '../network.js';
import { ControlServer } from './control-server.js';
import { DealerConnection } from './dealer-connection.js';
import { QuestionRouter } from './question-router.js';
import { addressOptions, connectRing, DATA_SOCKET, listenRing } from './ring-sockets.js';

const CONTROL_SOCKET = { reconnectInterval: 100, reconnectMaxInterval: 2000 } as const;

export const zeromqNetwork: CoordinatorNetwork & WorkerNetwork = {
  listenControl: async (address, events) => ControlServer.listen(address, events),
  connectControl: (address, onMessage) =>
    new DealerConnection(address, { ...CONTROL_SOCKET, ipv6: address.includes('[') }, onMessage),
  connectQuestions: (endpoint, onMessage) =>
    new DealerConnection(endpoint, { ...DATA_SOCKET, ...addressOptions(endpoint) }, onMessage),
  listenQuestions: async (where, onQuestion) => QuestionRouter.listen(where, onQuestion),
  listenRing,
  connectRing,
};
