/** How many workers `train` starts on this machine with how many threads, and why. Pure. */
import { counted } from '../../errors/wording.js';

export interface Machine {
  readonly processors: number;
  readonly freeBytes: number;
}

export interface PlacedRun {
  /** null: to be chosen. */
  readonly workers: number | null;
  /** 0: to be chosen. */
  readonly threads: number;
  /** What computes: `gpu`, or the backend on a processor. */
  readonly engine: string;
  /** Devices to compute on, where they are GPUs or were listed; else 0. */
  readonly devices: number;
  /** Of a step: a worker without one has nothing to do. */
  readonly microBatches: number;
  /** null: as many as there are micro-batches. */
  readonly maxWorkers: number | null;
  /** Of the whole model. */
  readonly parameters: number;
}

export interface Placement {
  readonly workers: number;
  readonly threads: number;
  readonly reason: string;
}

/** A worker's process without its model. */
const PROCESS_BYTES = 300 * 2 ** 20;
/** Weights, gradient, two moments and the exact sum in fp32 and wider, and what a micro-batch keeps besides. */
const BYTES_OF_PARAMETER = 64;
/** These compute in one thread. */
const ONE_THREAD = new Set(['wasm', 'cpu']);

/** Threads of each of `workers` on one machine; 0 shares its processors among them. */
export function threadsOfWorker(threads: number, workers: number, processors: number): number {
  return threads > 0 ? threads : Math.max(1, Math.floor(processors / workers));
}

function chosenWorkers(
  { engine, devices, microBatches, maxWorkers, parameters }: PlacedRun,
  { processors, freeBytes }: Machine,
): Pick<Placement, 'workers' | 'reason'> {
  const most =
    maxWorkers !== null && maxWorkers < microBatches
      ? { count: maxWorkers, reason: '--max-workers allows no more' }
      : { count: microBatches, reason: `a step has ${counted(microBatches, 'micro-batch')}` };
  if (devices > 0) {
    if (most.count < devices) return { workers: most.count, reason: most.reason };
    return { workers: devices, reason: 'one for each device' };
  }
  if (!ONE_THREAD.has(engine)) {
    return { workers: 1, reason: 'its threads use all processors, and there is nothing to all-reduce' };
  }
  const fitting = Math.floor(freeBytes / (PROCESS_BYTES + BYTES_OF_PARAMETER * parameters));
  const limits = [
    { count: processors, reason: `one for each processor, as ${engine} computes in one thread` },
    most,
    { count: fitting, reason: 'no more fit the free memory' },
  ];
  const { count, reason } = limits.reduce((least, limit) => (limit.count < least.count ? limit : least));
  return { workers: Math.max(1, count), reason };
}

/** What a run gets that leaves the choice to this machine, or has made it. The weights do not depend on it. */
export function placement(run: PlacedRun, machine: Machine): Placement {
  const { workers, reason } =
    run.workers === null ? chosenWorkers(run, machine) : { workers: run.workers, reason: 'as given' };
  const threads = ONE_THREAD.has(run.engine) ? 1 : threadsOfWorker(run.threads, workers, machine.processors);
  return { workers, threads, reason };
}

/** "2 workers with 1 thread each: as given". */
export function placementText({ workers, threads, reason }: Placement): string {
  const each = workers === 1 ? '' : ' each';
  return `${counted(workers, 'worker')} with ${counted(threads, 'thread')}${each}: ${reason}`;
}
