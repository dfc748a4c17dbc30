/**
 * A worker's place in the run: what its figures are known by. Unlike its number a place is given again, so that a
 * series goes on where one process takes over from another, through crashes and resumes. Pure.
 */

export interface Placed {
  readonly place: number;
}

/** On the wire 0 stands for a process that has no wish. */
export function wishOf(wire: number): number | null {
  return wire === 0 ? null : wire - 1;
}

/** The place that is wished for where it is free, else the lowest free one. */
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

/** For people: who has come, and what its figures are known by where that is another number. */
export function arrivalText({ worker, place, host, pid }: Arrival): string {
  const known = place === worker ? '' : `, in metrics worker ${place}`;
  return `worker ${worker} joined from ${host} (pid ${pid}${known})`;
}
