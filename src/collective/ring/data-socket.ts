/** What the ring's sockets have in common, and where they can be reached. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pull } from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import { bindTcp, tcpAddress, type BoundTo } from './bound-address.js';
import { MAX_CHUNK_ELEMENTS } from './ring-plan.js';

/**
 * A rank that is still computing does not read, and then libzmq does not answer ZMTP heartbeats either: with
 * heartbeats the sender would cut the connection and lose the chunks under way (24 of 40 in an experiment).
 * TCP keepalive is answered by the peer's kernel, so it finds a dead host or link and nothing else. That a
 * worker is alive is the coordinator's heartbeat to know.
 */
export const DATA_SOCKET = {
  linger: 0,
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 5,
  tcpKeepaliveInterval: 2,
  tcpKeepaliveCount: 3,
} as const;

/** Chunks that may wait on each side of a connection: enough to keep it busy, little to lose and to hold. */
export const HIGH_WATER_MARK = 8;

export type Transport = 'tcp' | 'ipc';

export interface Listener {
  readonly socket: Pull;
  readonly endpoint: string;
  readonly close: () => void;
}

/** IPv6 has to be asked for, and then IPv4 addresses are looked up as mapped ones. */
export function addressOptions(endpoint: string): { readonly ipv6: boolean } {
  return { ipv6: endpoint.startsWith('tcp://[') };
}

/**
 * Where an ipc socket is bound. Linux's abstract names vanish with their process, however it ends; elsewhere a file
 * in a private temporary folder, which `remove` takes away.
 */
function ipcAddress(): { readonly address: string; readonly remove: () => void } {
  if (process.platform === 'linux') {
    return { address: `ipc://@vitrail-ring-${randomBytes(8).toString('hex')}`, remove: () => undefined };
  }
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-ring-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  return { address: `ipc://${join(folder, 'chunks')}`, remove };
}

/**
 * A bound PULL socket: tcp as `where` says, or ipc.
 * @throws ADDRESS_INVALID, PORT_IN_USE
 */
export async function listen(transport: Transport, where: BoundTo): Promise<Listener> {
  const { address, remove } =
    transport === 'ipc' ? ipcAddress() : { address: tcpAddress(where.host), remove: () => undefined };
  // A frame from an unknown peer may not make us allocate more than a chunk.
  const maxMessageSize = 4 * MAX_CHUNK_ELEMENTS;
  const socket = new Pull({
    ...DATA_SOCKET,
    ...addressOptions(address),
    receiveHighWaterMark: HIGH_WATER_MARK,
    maxMessageSize,
  });
  const close = (): void => {
    socket.close();
    remove();
  };
  try {
    const endpoint = transport === 'tcp' ? await bindTcp(socket, where) : await bindIpc(socket, address);
    return { socket, endpoint, close };
  } catch (thrown) {
    close();
    throw thrown;
  }
}

async function bindIpc(socket: Pull, address: string): Promise<string> {
  try {
    await socket.bind(address);
  } catch (thrown) {
    throw coded('PORT_IN_USE', { address, reason: reasonOf(thrown) });
  }
  return socket.lastEndpoint ?? address;
}
