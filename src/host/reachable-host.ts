/** Where other machines reach this one, as far as it can know that by itself. Pure. */

export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  readonly family: string;
  /** Of the machine itself: loopback. */
  readonly internal: boolean;
}

/** Bridges and ends of cables between containers of this machine. */
const WITHIN_MACHINE = /^(?:docker|br-|veth|virbr|cni|flannel|lxc|podman)/;
const WILDCARD = /^(?:0\.0\.0\.0|\[::\])(?=:)/;

/**
 * @param advertise what the user says it is; null: nothing
 * @param name the machine's own name, which others need not know: where it has no address
 */
export function reachableHost(
  advertise: string | null,
  interfaces: readonly InterfaceAddress[],
  name: string,
): string {
  if (advertise !== null) return advertise.includes(':') ? `[${advertise}]` : advertise;
  const outer = interfaces.filter(({ internal, family }) => !internal && family === 'IPv4');
  const chosen = outer.find((one) => !WITHIN_MACHINE.test(one.name)) ?? outer[0];
  return chosen?.address ?? name;
}

/** `listening` (HOST:PORT, with or without a scheme before it) as others write it: a wildcard by `host`. */
export function reachableAddress(listening: string, host: string): string {
  const [scheme, rest] = listening.startsWith('tcp://') ? ['tcp://', listening.slice(6)] : ['', listening];
  return `${scheme}${rest.replace(WILDCARD, host)}`;
}
