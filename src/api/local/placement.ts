/** Decides how many workers `train` starts on this machine, and with how many threads. Pure. */
import { counted } from '../../errors/wording.js';

export interface Machine {
  readonly processors: number;
  readonly freeBytes: number;
}

export interface PlacedRun {
  /** Null if it is to be chosen. */
  readonly workers: number | null;
  /** 0 if it is to be chosen. */
  readonly threads: number;
  /** `gpu`, or the name of the backend on a processor. */
  readonly engine: string;
  /** Number of devices to compute on, if they are GPUs or were listed; otherwise 0. */
  readonly devices: number;
  /** Micro-batches of a step. A worker without one would have nothing to do. */
  readonly microBatches: number;
  /** Null for as many as there are micro-batches. */
  readonly maxWorkers: number | null;
  /** Parameters of the whole model. */
  readonly parameters: number;
}

export interface Placement {
  readonly workers: number;
  readonly threads: number;
  readonly reason: string;
}

/** Bytes of a worker's process without its model. */
const PROCESS_BYTES = 300 * 2 ** 20;
/**
 * Bytes for each parameter: weights, gradient, two moments and the exact sum, and what a micro-batch keeps.
 */
const BYTES_OF_PARAMETER = 64;
/** Backends that compute in one thread. */
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

/** The placement of a run, as given or as chosen for this machine. The weights do not depend on it. */
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
