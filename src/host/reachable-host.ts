/** Finds the address by which other machines reach this one, as far as it can know that. Pure. */

export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  readonly family: string;
  /** Whether it is a loopback address. */
  readonly internal: boolean;
}

/** Network interfaces between containers of this machine. */
const WITHIN_MACHINE = /^(?:docker|br-|veth|virbr|cni|flannel|lxc|podman)/;
const WILDCARD = /^(?:0\.0\.0\.0|\[::\])(?=:)/;

/**
 * @param advertise the address that the user gave, or null
 * @param name the machine's own name, used if it has no address; others may not know it
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

/**
 * `listening` (HOST:PORT, perhaps after a scheme) as others have to write it: a wildcard is replaced by
 * `host`.
 */
export function reachableAddress(listening: string, host: string): string {
  const [scheme, rest] = listening.startsWith('tcp://') ? ['tcp://', listening.slice(6)] : ['', listening];
  return `${scheme}${rest.replace(WILDCARD, host)}`;
}
