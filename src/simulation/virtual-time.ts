/** Virtual time: a queue of events that all processes of a simulation share, and a clock for each process. */
import { setImmediate as settled } from 'node:timers/promises';
import type { Clock, Timer } from '../host/clock.js';
import type { SimulatedProcess } from './simulated-process.js';

interface Event {
  atMs: number;
  /** Events at the same time happen in the order in which they were planned. */
  readonly order: number;
  /**
   * The process that it is for. A dead process gets no events; a suspended one gets them when it goes on.
   * Null for no process.
   */
  readonly owner: SimulatedProcess | null;
  action: (() => void) | null;
}

/** The time of day when a simulation begins. */
const FIRST_DATE_MS = Date.UTC(2026, 0, 1);

export class VirtualTime {
  #nowMs = 0;
  #orders = 0;
  #events = 0;
  /** A binary heap, the next event first. */
  readonly #heap: Event[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Number of events that have happened. */
  get events(): number {
    return this.#events;
  }

  /** @returns a function that cancels the event */
  plan(owner: SimulatedProcess | null, afterMs: number, action: () => void): () => void {
    return this.planAt(owner, this.#nowMs + afterMs, action);
  }

  /**
   * Plans an event for a time, or for now if that has passed. A time that is computed from the present one is not exactly
   * the time that was meant, which would let two events at the same time change their order.
   * @returns a function that cancels the event
   */
  planAt(owner: SimulatedProcess | null, atMs: number, action: () => void): () => void {
    const event: Event = { atMs: Math.max(this.#nowMs, atMs), order: this.#orders++, owner, action };
    this.#push(event);
    return () => (event.action = null);
  }

  /**
   * Lets events happen, one after the other, until `over` gives true or `untilMs` is reached.
   * @returns whether `over` gave true
   */
  async run(over: () => boolean, untilMs: number): Promise<boolean> {
    for (;;) {
      // All promises that are settled already are handled before this one.
      await settled();
      if (over()) return true;
      const event = this.#pop();
      if (event === undefined) return false;
      if (event.atMs > untilMs) {
        this.#push(event);
        this.#nowMs = untilMs;
        return false;
      }
      const resumeMs = event.owner?.suspendedUntilMs ?? 0;
      if (!isAlive(event.owner) || event.action === null) continue;
      this.#nowMs = Math.max(this.#nowMs, event.atMs);
      if (resumeMs > this.#nowMs) {
        event.atMs = resumeMs;
        this.#push(event);
        continue;
      }
      this.#events++;
      event.owner?.operates();
      if (isAlive(event.owner)) event.action();
    }
  }

  /** @param process the process that the clock is for; null if it is not for a process */
  clockOf(process: SimulatedProcess | null): Clock {
    return {
      now: () => this.#nowMs,
      date: () => new Date(FIRST_DATE_MS + this.#nowMs + (process?.dateOffMs ?? 0)),
      after: (ms, action) => this.#timer(process, ms, action, false),
      every: (ms, action) => this.#timer(process, ms, action, true),
      delay: async (ms) => new Promise((resolve) => this.plan(process, ms, resolve)),
      turn: async () => new Promise((resolve) => this.plan(process, 0, resolve)),
    };
  }

  #timer(process: SimulatedProcess | null, ms: number, action: () => void, again: boolean): Timer {
    let takeBack: () => void = () => undefined;
    const arm = (): void => {
      takeBack = this.plan(process, ms, () => {
        if (again) arm();
        action();
      });
    };
    arm();
    return {
      cancel: () => takeBack(),
      refresh: () => {
        takeBack();
        arm();
      },
    };
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** Events that are not for a process always happen. */
function isAlive(owner: SimulatedProcess | null): boolean {
  return owner?.alive !== false;
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
