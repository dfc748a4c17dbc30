/**
 * The status of the training thread in shared memory, from which the communication thread reports it during
 * long computations.
 */
import { Phase } from '../../wire/codec.js';

const STEP = 0;
const PHASE = 1;
const PROGRESS = 2;
const STATE = 3;
const NEWEST = 4;
const CELLS = 5;

/** A value of NEWEST that is above every generation, so that all current work is pointless. */
const CALLED_OFF = 2 ** 31 - 1;
const NO_STATE = -1;

/** Phases by their numbers. */
const PHASES: readonly Phase[] = Object.values(Phase).filter((phase) => typeof phase === 'number');

export class StatusBoard {
  /** The memory, to be handed to another thread. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(4 * CELLS);
    this.#cells = new Int32Array(this.memory);
    if (memory === undefined) this.setState(null);
  }

  /** Notes a phase. Every call counts as progress. */
  enter(phase: Phase, step: number): void {
    Atomics.store(this.#cells, STEP, step);
    Atomics.store(this.#cells, PHASE, phase);
    Atomics.add(this.#cells, PROGRESS, 1);
  }

  read(): { step: number; phase: Phase; progress: number } {
    return {
      step: Atomics.load(this.#cells, STEP),
      phase: PHASES[Atomics.load(this.#cells, PHASE)] ?? Phase.PHASE_IDLE,
      progress: Atomics.load(this.#cells, PROGRESS) >>> 0,
    };
  }

  /** Committed steps in the weights and moments in shared memory; null while they are being written. */
  get state(): number | null {
    const step = Atomics.load(this.#cells, STATE);
    return step === NO_STATE ? null : step;
  }

  setState(step: number | null): void {
    Atomics.store(this.#cells, STATE, step ?? NO_STATE);
  }

  /**
   * The highest generation of the plans that have arrived. The training thread sees it without reading
   * messages.
   */
  get newestGeneration(): number {
    return Atomics.load(this.#cells, NEWEST);
  }

  /** Whether a plan newer than `generation` has arrived, or a message that makes every plan pointless. */
  overtakes(generation: number): boolean {
    const newest = this.newestGeneration;
    return newest > generation || newest === CALLED_OFF;
  }

  announce(generation: number): void {
    if (generation > this.newestGeneration) Atomics.store(this.#cells, NEWEST, generation);
  }

  /** Notes that a message has arrived that ends all current work. */
  callOff(): void {
    this.announce(CALLED_OFF);
  }

  /** Resets the board when the worker has become a member again. */
  clearNews(): void {
    Atomics.store(this.#cells, NEWEST, 0);
  }
}
