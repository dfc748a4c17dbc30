/** Counts the faults of many runs, by point, kind of fault, and process. Pure. */
import { COORDINATOR_POINTS, WORKER_POINTS } from '../host/fault-injection.js';

export interface FaultCount {
  readonly point: string;
  readonly action: string;
  /** place 0, place 1 ..., or coordinator */
  readonly who: string;
  readonly count: number;
}

const ORDER: readonly string[] = [...WORKER_POINTS, ...COORDINATOR_POINTS];

/** @param hits as a fleet reports them: `worker in place 1: before-ring@7:kill`; in the order of a step */
export function faultCounts(hits: readonly string[]): readonly FaultCount[] {
  const counts = new Map<string, FaultCount>();
  for (const hit of hits) {
    const match = /^(?:worker in )?(.+): ([a-z-]+)@\d+:([a-z]+)$/.exec(hit);
    if (match === null) continue;
    const [, who = '', point = '', action = ''] = match;
    const key = `${point} ${action} ${who}`;
    counts.set(key, { point, action, who, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const rank = ({ point }: FaultCount): number => ORDER.indexOf(point);
  return [...counts.values()].sort(
    (a, b) => rank(a) - rank(b) || a.action.localeCompare(b.action) || a.who.localeCompare(b.who),
  );
}
