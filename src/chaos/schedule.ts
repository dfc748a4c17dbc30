/** What goes wrong in a run of `vitrail chaos`: a function of a seed, or one point after the other. Pure. */
import {
  COORDINATOR_POINTS,
  FAULT_ACTIONS,
  WORKER_POINTS,
  type Fault,
  type FaultAction,
} from '../shared/fault-injection.js';
import { KeyedRandom, PURPOSE } from '../shared/random/keyed-random.js';

export interface ChaosSchedule {
  readonly name: string;
  readonly coordinator: readonly Fault[];
  /** By place in the fleet; a worker that is killed is replaced, and the next one gets what is left. */
  readonly workers: readonly (readonly Fault[])[];
}

export interface ScheduleOptions {
  readonly workers: number;
  /** Of the run. */
  readonly steps: number;
  readonly faults: number;
}

/** A coordinator's link is its workers' link: cutting is theirs. */
const COORDINATOR_ACTIONS: readonly FaultAction[] = FAULT_ACTIONS.filter((action) => action !== 'cut');
/** Faults that hit the coordinator: one in so many. */
const COORDINATOR_SHARE = 4;

export function randomSchedule(seed: number, { workers, steps, faults }: ScheduleOptions): ChaosSchedule {
  const random = new KeyedRandom(seed, PURPOSE.chaos);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  const coordinator: Fault[] = [];
  const places: Fault[][] = Array.from({ length: workers }, () => []);
  for (let i = 0; i < faults; i++) {
    const step = random.below(Math.max(1, steps - 1));
    if (random.below(COORDINATOR_SHARE) === 0) {
      coordinator.push({ point: pick(COORDINATOR_POINTS), step, action: pick(COORDINATOR_ACTIONS) });
    } else {
      pick(places).push({ point: pick(WORKER_POINTS), step, action: pick(FAULT_ACTIONS) });
    }
  }
  return { name: `seed ${seed}`, coordinator, workers: places };
}

/**
 * Schedules that together hit every point with every action at every place in the ring (first, middle, last), several
 * in a run, spread over its steps.
 * @param perRun faults in one run at most
 */
export function systematicSchedules(
  { workers, steps }: Omit<ScheduleOptions, 'faults'>,
  perRun: number,
): ChaosSchedule[] {
  const all: { readonly place: number | null; readonly fault: Omit<Fault, 'step'> }[] = [];
  for (const action of FAULT_ACTIONS) {
    for (const point of WORKER_POINTS) {
      for (let place = 0; place < workers; place++) all.push({ place, fault: { point, action } });
    }
    if (!COORDINATOR_ACTIONS.includes(action)) continue;
    for (const point of COORDINATOR_POINTS) all.push({ place: null, fault: { point, action } });
  }
  const runs = Math.ceil(all.length / perRun);
  return Array.from({ length: runs }, (_, run) => {
    // Every run gets of everything: neighbours in the list go to different runs.
    const mine = all.filter((_item, i) => i % runs === run);
    const dated = mine.map(({ place, fault }, i) => {
      const step = 1 + Math.floor((i * Math.max(1, steps - 2)) / mine.length);
      return { place, fault: { ...fault, step } };
    });
    const of = (place: number | null): Fault[] => dated.filter((d) => d.place === place).map((d) => d.fault);
    return {
      name: `systematic ${run + 1} of ${runs}`,
      coordinator: of(null),
      workers: Array.from({ length: workers }, (_w, place) => of(place)),
    };
  });
}
