/** Transfers a part of the state from a worker to the coordinator, one part at a time. */
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';
import type { Clock } from '../../host/clock.js';
import { StatePull, type PieceRequest } from '../../wire/state-pull.js';
import type { RunWait } from '../waits/run-wait.js';

export interface WorkerPullOptions {
  readonly clock: Clock;
  readonly waits: RunWait;
  readonly send: (worker: number, request: Body<'stateRequest'>) => void;
  readonly isMember: (worker: number) => boolean;
}

export class WorkerPull {
  readonly #options: WorkerPullOptions;
  #current: { readonly worker: number; readonly pull: StatePull } | null = null;

  constructor(options: WorkerPullOptions) {
    this.#options = options;
    options.waits.onFailure((error) => this.#current?.pull.fail(error));
  }

  /**
   * The bytes of `part` of the state after `step` steps, from `worker`.
   * @param transfer a number that no other transfer has had
   * @throws WORKER_LOST, or what has ended the run
   */
  async run(worker: number, part: string, step: number, transfer: number): Promise<Uint8Array> {
    const { clock, waits, send, isMember } = this.#options;
    if (waits.failure !== null) throw waits.failure;
    const ask = (piece: PieceRequest): void => send(worker, { ...piece, step, runToken: '' });
    const pull = new StatePull(clock, transfer, part, ask);
    this.#current = { worker, pull };
    try {
      if (!isMember(worker)) throw new Error('it is no longer a member');
      return await pull.run();
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      const reason = reasonOf(error);
      throw coded('WORKER_LOST', { worker, step, phase: 'state transfer', reason });
    } finally {
      this.#current = null;
    }
  }

  accept(worker: number, chunk: Body<'stateChunk'>): void {
    if (this.#current?.worker === worker) this.#current.pull.accept(chunk);
  }

  /** A worker is gone: a transfer from it fails. */
  removed(worker: number): void {
    if (this.#current?.worker === worker) this.#current.pull.fail(new Error('it is gone'));
  }
}
