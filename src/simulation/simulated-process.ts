/**
 * A process of a simulation, which runs, is suspended, or dies. Nothing that it has planned happens after its
 * death.
 */
import type { NotedProcess, ProcessIdentity } from '../host/process.js';
import type { SimulatedRandom } from './simulated-random.js';

/** For the run folder's lease, all simulated processes are on the same machine. */
const PLACE = 'the simulated machine';

export class SimulatedProcess implements ProcessIdentity {
  readonly name: string;
  readonly pid: number;
  readonly hostName: string;
  readonly place = PLACE;
  readonly network = PLACE;
  readonly startedAt: string;
  /** The time until which it is suspended; 0 if it runs. */
  suspendedUntilMs = 0;
  /** The error of its time of day, ms. */
  dateOffMs = 0;
  #alive = true;
  readonly #onDeath: (() => void)[] = [];
  readonly #processes: ReadonlyMap<number, SimulatedProcess>;
  readonly #random: SimulatedRandom;

  constructor(
    name: string,
    pid: number,
    processes: ReadonlyMap<number, SimulatedProcess>,
    random: SimulatedRandom,
  ) {
    this.name = name;
    this.pid = pid;
    this.hostName = `host-${name}`;
    this.startedAt = String(pid);
    this.#processes = processes;
    this.#random = random;
  }

  get alive(): boolean {
    return this.#alive;
  }

  onDeath(action: () => void): void {
    this.#onDeath.push(action);
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const action of this.#onDeath) action();
  }

  hostForOthers(advertise: string | null): string {
    return advertise ?? this.hostName;
  }

  stateOf({ pid, place }: NotedProcess): 'runs' | 'gone' | 'unknown' {
    if (place !== PLACE) return 'unknown';
    return this.#processes.get(pid)?.alive === true ? 'runs' : 'gone';
  }

  randomId(): string {
    return this.randomHex(16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  randomHex(bytes: number): string {
    return Array.from({ length: bytes }, () => this.#random.below(256).toString(16).padStart(2, '0')).join(
      '',
    );
  }
}
