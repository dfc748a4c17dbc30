/** Whether the workers of a ring can reach each other, as far as their addresses say. Pure. */
import type { Member } from '../members/membership.js';

export type RingNeighbour = Pick<Member, 'worker' | 'host'> & {
  readonly ready: { readonly ringEndpoint: string } | null;
};

/** An ipc endpoint does not match: all who use it are on the same machine. */
const LOOPBACK = /^tcp:\/\/(?:127\.|localhost:|\[::1\]:)/;

/** @param neighbour has to be ready */
function isOnLoopback({ ready }: RingNeighbour): boolean {
  return LOOPBACK.test(ready!.ringEndpoint);
}

/**
 * What is wrong with the addresses of `worker` and the others, or null. A worker that reached the coordinator
 * at 127.0.0.1 gives that address to the others as its own, but on another machine it means that machine.
 */
export function ringAddressProblem(worker: number, members: readonly RingNeighbour[]): string | null {
  const ready = members.filter((member) => member.ready !== null);
  const own = ready.find((member) => member.worker === worker);
  if (own === undefined) return null;
  const elsewhere = ready.filter(({ host }) => host !== own.host);
  const [near, far] = isOnLoopback(own)
    ? [own, elsewhere.find((member) => !isOnLoopback(member))]
    : [elsewhere.find(isOnLoopback), own];
  if (near === undefined || far === undefined) return null;
  return (
    `worker ${near.worker} on ${near.host} is reached at ${near.ready!.ringEndpoint}, which worker ${far.worker} on ` +
    `${far.host} cannot: start it with the coordinator's outer address in --coordinator, or with --advertise`
  );
}
