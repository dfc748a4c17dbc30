/** Binds the sockets that other workers connect to: to a free port, or to one of the given ports. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'zeromq';
import { coded, reasonOf } from '../../errors/errors.js';
import type { BoundTo, PortRange } from '../network.js';

/** libzmq listens on all interfaces for these, but no peer can connect to such an address. */
const WILDCARDS = ['*', '0.0.0.0', '::', ''];
/** A socket of this process that was closed just now may hold its port for a moment. */
const PATIENCE_MS = 2000;
const TRY_AGAIN_MS = 50;

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** tcp://HOST:*, which means any free port. @throws ADDRESS_INVALID for a wildcard */
export function tcpAddress(host: string): string {
  if (WILDCARDS.includes(host)) {
    const reason = 'the next rank has to connect to it: give one address of this machine';
    throw coded('ADDRESS_INVALID', { address: `tcp://${host}`, reason });
  }
  return `tcp://${bracketed(host)}:*`;
}

interface Binding {
  bind(address: string): Promise<void>;
  readonly lastEndpoint: string | null;
}

/**
 * Binds `socket`, which the caller has to close if this fails.
 * @returns the address that others connect to
 * @throws ADDRESS_INVALID, PORT_IN_USE
 */
export async function bindTcp(
  socket: Binding & Socket,
  { host, advertise = host, ports = null }: BoundTo,
): Promise<string> {
  const anyPort = tcpAddress(host);
  const address = ports === null ? anyPort : anyPort.replace(/\*$/, `${ports.from}-${ports.to}`);
  try {
    if (ports === null) await socket.bind(anyPort);
    else await bindWithin(socket, anyPort, ports);
  } catch (thrown) {
    throw coded('PORT_IN_USE', { address, reason: reasonOf(thrown) });
  }
  const port = /:(\d+)$/.exec(socket.lastEndpoint ?? '')?.[1];
  if (port === undefined) throw coded('INTERNAL', { reason: `no port in ${socket.lastEndpoint}` });
  return `tcp://${bracketed(advertise)}:${port}`;
}

async function bindWithin(socket: Binding, anyPort: string, { from, to }: PortRange): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    for (let port = from; port <= to; port++) {
      try {
        await socket.bind(anyPort.replace(/\*$/, String(port)));
        return;
      } catch (thrown) {
        if ((thrown as { code?: string }).code !== 'EADDRINUSE') throw thrown;
      }
    }
    if (performance.now() >= deadline) throw new Error('none of these ports is free');
    await delay(TRY_AGAIN_MS);
  }
}
