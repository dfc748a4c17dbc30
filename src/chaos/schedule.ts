/**
 * Schedules the faults of a run of `vitrail chaos`: drawn from a seed, or one point after the other. Pure.
 */
import {
  COORDINATOR_POINTS,
  FAULT_ACTIONS,
  WORKER_POINTS,
  type Fault,
  type FaultAction,
  type FaultPoint,
} from '../host/fault-injection.js';
import { KeyedRandom, PURPOSE } from '../numbers/random/keyed-random.js';

export interface ChaosSchedule {
  readonly name: string;
  /**
   * Whether the run goes on only with all workers. Then a worker that replaces another certainly joins, and
   * takes the state from a peer. Otherwise the others may end the run before a new process has started.
   */
  readonly wholeFleet: boolean;
  readonly coordinator: readonly Fault[];
  /**
   * The faults of each place. A worker that is killed is replaced, and its replacement gets the remaining
   * faults.
   */
  readonly workers: readonly (readonly Fault[])[];
}

export interface ScheduleOptions {
  readonly workers: number;
  /** Of the run. */
  readonly steps: number;
  readonly faults: number;
}

/** The coordinator has no link of its own, so only workers can be cut off. */
const COORDINATOR_ACTIONS: readonly FaultAction[] = FAULT_ACTIONS.filter((action) => action !== 'cut');
/** One fault in so many hits the coordinator. */
const COORDINATOR_SHARE = 4;
/** Points that are passed only while a worker joins. */
const TRANSFER_POINTS: readonly FaultPoint[] = ['state-pull', 'state-serve'];
/**
 * The work of a step is done and the next step is not committed, so killing a worker here costs only one
 * plan.
 */
const REPLACED_AT: FaultPoint = 'before-compute';
/** Steps between the replacement of one worker and that of another. */
const BETWEEN_REPLACEMENTS = 2;

/** A fault of the worker in `place`. */
interface Placed {
  readonly place: number;
  readonly fault: Fault;
}

/**
 * A fault during a state transfer, with kills that make sure that there is a transfer. If the fault is for
 * the worker that takes the state, its predecessor in the same place is killed. If it is for the worker that
 * gives the state, all others are killed, one after the other. Peers are asked in the order in which they
 * joined, so at least the last new worker asks this one first.
 */
function transferFault(place: number, fault: Fault, workers: number): Placed[] {
  const death = (of: number, step: number): Placed => {
    return { place: of, fault: { point: REPLACED_AT, step, action: 'kill' } };
  };
  const { step } = fault;
  if (fault.point === 'state-pull') return [death(place, step), { place, fault }];
  const others = Array.from({ length: workers }, (_, i) => i).filter((other) => other !== place);
  const deaths = others.map((other, i) => death(other, step + i * BETWEEN_REPLACEMENTS));
  return [...deaths, { place, fault }];
}

function atPlaces(faults: readonly Placed[], workers: number): Fault[][] {
  return Array.from({ length: workers }, (_, place) =>
    faults.filter((placed) => placed.place === place).map(({ fault }) => fault),
  );
}

/** `faults` without the one that has `happened`, in its step or a later one. */
export function stillToCome(faults: readonly Fault[], { point, action }: Fault): Fault[] {
  const index = faults.findIndex((f) => f.point === point && f.action === action);
  return faults.filter((_fault, i) => i !== index);
}

export function randomSchedule(seed: number, { workers, steps, faults }: ScheduleOptions): ChaosSchedule {
  const random = new KeyedRandom(seed, PURPOSE.chaos);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const coordinator: Fault[] = [];
  const placed: Placed[] = [];
  let wholeFleet = random.below(2) === 0;
  for (let i = 0; i < faults; i++) {
    const step = random.below(Math.max(1, steps - 1));
    if (random.below(COORDINATOR_SHARE) === 0) {
      coordinator.push({ point: pick(COORDINATOR_POINTS), step, action: pick(COORDINATOR_ACTIONS) });
      continue;
    }
    const place = random.below(workers);
    const fault = { point: pick(WORKER_POINTS), step, action: pick(FAULT_ACTIONS) };
    if (TRANSFER_POINTS.includes(fault.point) && workers > 1) {
      wholeFleet = true;
      placed.push(...transferFault(place, fault, workers));
    } else placed.push({ place, fault });
  }
  return { name: `seed ${seed}`, wholeFleet, coordinator, workers: atPlaces(placed, workers) };
}

/**
 * Schedules in which every action hits the taker and the giver of the state at every place, one fault of each
 * in a run.
 */
function transferSchedules({ workers, steps }: Omit<ScheduleOptions, 'faults'>): ChaosSchedule[] {
  if (workers < 2) return [];
  return FAULT_ACTIONS.flatMap((action) =>
    Array.from({ length: workers }, (_, place) => {
      const taken = transferFault(place, { point: 'state-pull', step: 1, action }, workers);
      const step = Math.floor(steps / 3);
      const given = transferFault(place, { point: 'state-serve', step, action }, workers);
      const faults = atPlaces([...taken, ...given], workers);
      const name = `transfer ${action} ${place}`;
      return { name, wholeFleet: true, coordinator: [], workers: faults };
    }),
  );
}

/**
 * Schedules that together hit every point with every action at every rank of the ring (first, middle, last). A run has
 * several faults, spread over its steps. Faults of the state transfer have runs of their own.
 * @param perRun faults in one run at most
 */
export function systematicSchedules(
  { workers, steps }: Omit<ScheduleOptions, 'faults'>,
  perRun: number,
): ChaosSchedule[] {
  const all: { readonly place: number | null; readonly fault: Omit<Fault, 'step'> }[] = [];
  for (const action of FAULT_ACTIONS) {
    for (const point of WORKER_POINTS) {
      if (TRANSFER_POINTS.includes(point)) continue;
      for (let place = 0; place < workers; place++) all.push({ place, fault: { point, action } });
    }
    if (!COORDINATOR_ACTIONS.includes(action)) continue;
    for (const point of COORDINATOR_POINTS) all.push({ place: null, fault: { point, action } });
  }
  const runs = Math.ceil(all.length / perRun);
  const general = Array.from({ length: runs }, (_, run) => {
    // Neighbours in the list go to different runs, so that every run gets faults of many kinds.
    const mine = all.filter((_item, i) => i % runs === run);
    const dated = mine.map(({ place, fault }, i) => {
      const step = 1 + Math.floor((i * Math.max(1, steps - 2)) / mine.length);
      return { place, fault: { ...fault, step } };
    });
    const of = (place: number | null): Fault[] => dated.filter((d) => d.place === place).map((d) => d.fault);
    return {
      name: `systematic ${run + 1} of ${runs}`,
      wholeFleet: false,
      coordinator: of(null),
      workers: Array.from({ length: workers }, (_w, place) => of(place)),
    };
  });
  // In turns, so that the first few schedules have both kinds.
  const transfers = transferSchedules({ workers, steps });
  const rows = Math.max(transfers.length, general.length);
  return Array.from({ length: rows }, (_, i) => [transfers[i], general[i]])
    .flat()
    .filter((schedule) => schedule !== undefined);
}
