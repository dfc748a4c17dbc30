/**
 * A worker's place in the run: the number by which metrics know it. Unlike its worker number a place is given again, so that
 * a time series goes on when another process takes over, after a crash or in a resumed run. Pure.
 */

export interface Placed {
  readonly place: number;
}

/** On the wire 0 means that the process has no wish. */
export function wishOf(wire: number): number | null {
  return wire === 0 ? null : wire - 1;
}

/** The place that is wished for if it is free, otherwise the lowest free one. */
export function placeFor(members: readonly Placed[], wish: number | null): number {
  const taken = new Set(members.map(({ place }) => place));
  if (wish !== null && !taken.has(wish)) return wish;
  let place = 0;
  while (taken.has(place)) place++;
  return place;
}

export interface Arrival extends Placed {
  /** Its number, which is never given again. */
  readonly worker: number;
  readonly host: string;
  readonly pid: number;
}

/** A sentence about a worker that has joined, with its place if that is another number. */
export function arrivalText({ worker, place, host, pid }: Arrival): string {
  const known = place === worker ? '' : `, in metrics worker ${place}`;
  return `worker ${worker} joined from ${host} (pid ${pid}${known})`;
}
