/** The ring's sockets: PULL from the previous rank, PUSH to the next. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pull, Push } from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import type { BoundTo, RingReceiver, RingSender, Transport } from '../network.js';
import { bindTcp, tcpAddress } from './bound-address.js';

/**
 * ZMTP heartbeats are off. A rank that is still computing does not read, and then libzmq does not answer them
 * either, so the sender would cut the connection and lose the segments under way (24 of 40 in an experiment).
 * TCP keepalive is on. The peer's operating system answers it, so it finds only a dead host or link. Whether
 * a worker is alive is found by its heartbeats to the coordinator.
 */
export const DATA_SOCKET = {
  linger: 0,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 5,
  tcpKeepaliveInterval: 2,
  tcpKeepaliveCount: 3,
} as const;

/**
 * Segments that may wait on each side of a connection: enough to keep it busy, but few to lose and to keep in
 * memory.
 */
const HIGH_WATER_MARK = 8;

/** IPv6 must be switched on, and then IPv4 addresses are looked up as mapped ones. */
export function addressOptions(endpoint: string): { readonly ipv6: boolean } {
  return { ipv6: endpoint.startsWith('tcp://[') };
}

/**
 * The address that an ipc socket is bound to. On Linux it is an abstract name, which vanishes with its
 * process, however that ends. Elsewhere it is a file in a private temporary folder, which `remove` removes.
 */
function ipcAddress(): { readonly address: string; readonly remove: () => void } {
  if (process.platform === 'linux') {
    return { address: `ipc://@vitrail-ring-${randomBytes(8).toString('hex')}`, remove: () => undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-ring-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { address: `ipc://${join(folder, 'chunks')}`, remove };
}

/** @throws ADDRESS_INVALID, PORT_IN_USE */
export async function listenRing(
  transport: Transport,
  where: BoundTo,
  maxFrameBytes: number,
): Promise<RingReceiver> {
  const { address, remove } =
    transport === 'ipc' ? ipcAddress() : { address: tcpAddress(where.host), remove: () => undefined };
  const socket = new Pull({
    ...DATA_SOCKET,
    ...addressOptions(address),
    receiveHighWaterMark: HIGH_WATER_MARK,
    maxMessageSize: maxFrameBytes,
  });
  const close = (): void => {
    socket.close();
    remove();
  };
  try {
    const endpoint = transport === 'tcp' ? await bindTcp(socket, where) : await bindIpc(socket, address);
    // Returns ZeroMQ's own promise, here and in `connectRing`. With an async function around both of them, a
    // message was sometimes not delivered (test/collective/ring-sums.test.ts), and the ring stalled.
    return { endpoint, receive: () => socket.receive(), close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

/** @throws ADDRESS_INVALID */
export function connectRing(endpoint: string): RingSender {
  const socket = new Push({
    ...DATA_SOCKET,
    ...addressOptions(endpoint),
    sendHighWaterMark: HIGH_WATER_MARK,
    immediate: true,
  });
  try {
    socket.connect(endpoint);
  } catch (thrown) {
    socket.close();
    throw coded('ADDRESS_INVALID', { address: endpoint, reason: reasonOf(thrown) });
  }
  return { send: (frames) => socket.send([...frames]), close: () => socket.close() };
}

async function bindIpc(socket: Pull, address: string): Promise<string> {
  try {
    await socket.bind(address);
  } catch (thrown) {
    throw coded('PORT_IN_USE', { address, reason: reasonOf(thrown) });
  }
  return socket.lastEndpoint ?? address;
}
