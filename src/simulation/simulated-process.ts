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
  /** For a worker, how many times it has become a member. */
  places = 0;
  #alive = true;
  /** The number of operations until it dies, and how; null if it does not die at an operation. */
  #doom: { left: number; readonly die: () => void } | null = null;
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

  /** Lets it die at its `nth` operation from now on. */
  dieAt(nth: number, die: () => void): void {
    this.#doom = { left: nth, die };
  }

  /**
   * Counts an operation: something that it does by its host or gets from it, such as a message, a timer, a
   * call of the disk.
   */
  operates(): void {
    if (this.#doom === null || --this.#doom.left > 0) return;
    const { die } = this.#doom;
    this.#doom = null;
    die();
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
