/**
 * Finds out where this process runs: the machine's name and addresses, and the network that its loopback
 * belongs to.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { reachableHost } from './reachable-host.js';

export interface Whereabouts {
  readonly host: string;
  /**
   * Equal for two processes if 127.0.0.1 is the same for both; empty if the system does not tell. Host names
   * do not tell, because two machines may have the same.
   */
  readonly network: string;
}

export function whereabouts(): Whereabouts {
  return { host: hostname(), network: networkOf() };
}

/** On Linux, the boot of this operating system and the network namespace. */
function networkOf(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/net')}`;
  } catch {
    return '';
  }
}

/** @see reachableHost */
export function hostForOthers(advertise: string | null): string {
  const interfaces = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? []).map(({ address, family, internal }) => ({ name, address, family, internal })),
  );
  return reachableHost(advertise, interfaces, hostname());
}
