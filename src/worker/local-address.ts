/** The address under which this machine is known to whoever reaches it from the coordinator's side. */
import { connect } from 'node:net';
import { coded, reasonOf } from '../shared/errors.js';

/** Host and port of tcp://HOST:PORT; an IPv6 host stands in brackets. @throws ADDRESS_INVALID */
export function tcpHostAndPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535) {
    throw coded('ADDRESS_INVALID', { address, reason: 'it is not tcp://HOST:PORT' });
  }
  return { host: match[1] ?? match[2]!, port };
}

/**
 * The local end of a connection to `address`: the interface that faces the coordinator. Other workers reach this
 * one there, and a coordinator on loopback keeps everything on loopback.
 * @throws COORDINATOR_UNREACHABLE
 */
export async function localAddressTowards(address: string, timeoutMs: number): Promise<string> {
  const { host, port } = tcpHostAndPort(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const fail = (): void => {
      socket.destroy();
      reject(coded('COORDINATOR_UNREACHABLE', { address, waitedMs: timeoutMs }));
    };
    socket.once('connect', () => {
      const local = socket.localAddress ?? '127.0.0.1';
      socket.destroy();
      resolve(local);
    });
    socket.once('timeout', fail);
    socket.once('error', (error) => {
      socket.destroy();
      reject(coded('ADDRESS_INVALID', { address, reason: reasonOf(error) }));
    });
  });
}
