/** The waits of a run. The first failure ends all of them, also those that begin later. */
import type { VitrailError } from '../../errors/errors.js';
import type { Clock } from '../../host/clock.js';
import { ConditionWait, type WaitEnd } from './condition-wait.js';

export class RunWait {
  readonly #wait: ConditionWait;
  readonly #listeners: ((error: VitrailError) => void)[] = [];
  #failure: VitrailError | null = null;

  constructor(clock: Clock) {
    this.#wait = new ConditionWait(clock);
  }

  /** What has ended the run, if anything has. */
  get failure(): VitrailError | null {
    return this.#failure;
  }

  fail(error: VitrailError): void {
    this.#failure ??= error;
    for (const listener of this.#listeners) listener(this.#failure);
    this.notify();
  }

  /** Calls `listener` with the error that ends the run. For waits that do not use `until`. */
  onFailure(listener: (error: VitrailError) => void): void {
    this.#listeners.push(listener);
  }

  /** Something has happened: all conditions are checked again. */
  notify(): void {
    this.#wait.notify();
  }

  /** Waits for `condition`. @throws what has ended the run */
  async until(condition: () => boolean, timeoutMs: number): Promise<WaitEnd> {
    const end = await this.#wait.until(() => this.#failure !== null || condition(), timeoutMs);
    if (this.#failure !== null) throw this.#failure;
    return end;
  }

  /** The same at the end of a run, when a failure does not end the wait. */
  async untilAtEnd(condition: () => boolean, timeoutMs: number): Promise<WaitEnd> {
    return this.#wait.until(condition, timeoutMs);
  }
}
