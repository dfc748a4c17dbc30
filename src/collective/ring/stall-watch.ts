/** Ends a wait when nothing has moved for too long, or when it is aborted. */
import type { VitrailError } from '../../errors/errors.js';
import type { Clock, Timer } from '../../host/clock.js';

export interface StallWatchOptions {
  readonly clock: Clock;
  /** Longest time without progress. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onStall: (waitedMs: number) => VitrailError;
  readonly onAbort: (reason: unknown) => VitrailError;
}

export class StallWatch {
  readonly #options: StallWatchOptions;
  readonly #onSignal = (): void => this.abort(this.#options.signal?.reason);
  #timer: Timer | undefined;
  #lastMs: number;
  #error: VitrailError | undefined;
  #disposed = false;
  #stop: (error: VitrailError) => void = () => undefined;
  /** Resolves with the reason to give up. Never resolves if the watch is disposed of before. */
  readonly stopped: Promise<VitrailError>;

  constructor(options: StallWatchOptions) {
    this.#options = options;
    this.#lastMs = options.clock.now();
    this.stopped = new Promise((resolve) => (this.#stop = resolve));
    options.signal?.addEventListener('abort', this.#onSignal, { once: true });
    if (options.signal?.aborted === true) this.#onSignal();
    else this.#arm(options.timeoutMs);
  }

  get error(): VitrailError | undefined {
    return this.#error;
  }

  progress(): void {
    this.#lastMs = this.#options.clock.now();
  }

  abort(reason: unknown): void {
    this.#giveUp(this.#options.onAbort(reason));
  }

  #giveUp(error: VitrailError): void {
    this.#error ??= error;
    this.#stop(this.#error);
  }

  dispose(): void {
    this.#disposed = true;
    this.#timer?.cancel();
    this.#options.signal?.removeEventListener('abort', this.#onSignal);
  }

  /**
   * Uses one timer and restarts it only when it fires, because progress is noted thousands of times a second.
   */
  #arm(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => {
      const restMs = this.#restMs();
      if (restMs > 0) this.#arm(restMs);
      // A process that was stopped wakes up with its timers due and its messages unread. The messages must be
      // read first.
      else void this.#options.clock.turn().then(() => this.#judge());
    });
  }

  #judge(): void {
    if (this.#disposed) return;
    const restMs = this.#restMs();
    if (restMs > 0) this.#arm(restMs);
    else this.#giveUp(this.#options.onStall(Math.round(this.#options.clock.now() - this.#lastMs)));
  }

  #restMs(): number {
    return this.#lastMs + this.#options.timeoutMs - this.#options.clock.now();
  }
}
