/** What the training thread is doing, in shared memory: the communication thread reports it while training computes. */
import { Phase } from '../../shared/protocol/codec.js';

const STEP = 0;
const PHASE = 1;
const PROGRESS = 2;

/** By number. */
const PHASES: readonly Phase[] = Object.values(Phase).filter((phase) => typeof phase === 'number');

export class StatusBoard {
  /** Hand this to another thread. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(12)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** Notes a phase; every call counts as progress. */
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
}
