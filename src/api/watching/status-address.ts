/** Finds the address at which the status page of a run can be asked for. Pure. */
import { reachableAddress } from '../../host/reachable-host.js';
import type { Whereabouts } from '../../host/whereabouts.js';

const LOOPBACK = /^(?:127\.[\d.]+|localhost|\[::1\]):/;

/** Whether 127.0.0.1 means the same machine for both. */
export function isSamePlace(a: Whereabouts, b: Whereabouts): boolean {
  return a.network !== '' && b.network !== '' ? a.network === b.network : a.host === b.host;
}

export interface Page extends Whereabouts {
  /** The address on which the coordinator listens. */
  readonly httpAddress: string;
  /** The host by which others reach it. */
  readonly advertised: string;
}

/**
 * host:port to ask for a coordinator's page.
 * @returns null if it answers only on its own machine, and this is another one
 */
export function statusAddress(page: Page, here: Whereabouts): string | null {
  const same = isSamePlace(page, here);
  const host = same ? '127.0.0.1' : page.advertised === '' ? page.host : page.advertised;
  const address = reachableAddress(page.httpAddress, host);
  return LOOPBACK.test(address) && !same ? null : address;
}
