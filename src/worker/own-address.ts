/** The address under which others reach this worker: the local address of its connection to the coordinator. */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { coded, reasonOf, VitrailError } from '../errors/errors.js';

/** Time between two questions to a name server that does not answer. */
const ASK_AGAIN_MS = 1000;
/** Errors of the system's resolver after which a name server may still answer later. Any other error is final. */
const FOR_NOW = 'EAI_AGAIN';

/** Host and port of tcp://HOST:PORT; an IPv6 host stands in brackets. @throws ADDRESS_INVALID */
export function tcpHostAndPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535) {
    throw coded('ADDRESS_INVALID', { address, reason: 'it is not tcp://HOST:PORT' });
  }
  return { host: match[1] ?? match[2]!, port };
}

/** The addresses of this worker: the one its sockets are bound to, and the one that others are given. */
export interface OwnAddress {
  readonly bind: string;
  readonly advertise: string;
}

export interface AddressOptions {
  /** tcp://HOST:PORT */
  readonly coordinator: string;
  /** The address to give to others in place of the one that is found; null for the one that is found. */
  readonly advertise: string | null;
  /** Longest wait for a name server that does not answer. */
  readonly timeoutMs: number;
  /** When it is aborted, every wait ends. */
  readonly leave: AbortSignal;
  /** Called when a name server does not answer and will be asked again. */
  readonly onWait: (error: VitrailError) => void;
}

/**
 * Finds the addresses without sending anything, so the coordinator need not be there yet. @throws
 * HOST_UNRESOLVED, ADDRESS_INVALID
 */
export async function ownAddress(options: AddressOptions): Promise<OwnAddress> {
  const { coordinator, advertise } = options;
  const { host, port } = tcpHostAndPort(coordinator);
  const facing = await localEndTowards(await resolved(host, options), port, coordinator);
  if (advertise === null) return { bind: facing, advertise: facing };
  const given = await resolved(advertise, options);
  const own = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === given),
  );
  // A given address may be that of a router that passes connections on to this machine.
  return { bind: own ? given : facing, advertise };
}

/** The address of `host`, as ZeroMQ would take it: IPv4 if it has one. @throws HOST_UNRESOLVED */
async function resolved(host: string, { timeoutMs, leave, onWait }: AddressOptions): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  for (let told = false; ; told = true) {
    try {
      return (await lookup(host, { family: isIPv6(host) ? 6 : 4 })).address;
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code ?? reasonOf(thrown);
      const reason =
        code === FOR_NOW ? `no name server answers (${code})` : `there is no such name (${code})`;
      const error = coded('HOST_UNRESOLVED', { host, reason });
      if (code !== FOR_NOW || leave.aborted || performance.now() >= deadline) throw error;
      if (!told) onWait(error);
    }
    await delay(Math.min(ASK_AGAIN_MS, timeoutMs), undefined, { signal: leave }).catch(() => undefined);
  }
}

/** The local address that the system's routing uses to reach `address`. */
async function localEndTowards(address: string, port: number, coordinator: string): Promise<string> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((settle, reject) => {
      socket.once('error', reject);
      // Connecting a datagram socket only notes its peer: no packet is sent.
      socket.connect(port, address, settle);
    });
    return socket.address().address;
  } catch (thrown) {
    throw coded('ADDRESS_INVALID', { address: coordinator, reason: reasonOf(thrown) });
  } finally {
    socket.close();
  }
}
