/** The newest message of each kind from every worker. */
import type { Body, Message, MessageName } from '../../wire/codec.js';

export class Inbox {
  readonly #newest = new Map<MessageName, Map<number, Message>>();

  keep(worker: number, message: Message): void {
    const byWorker = this.#newest.get(message.name) ?? new Map<number, Message>();
    byWorker.set(worker, message);
    this.#newest.set(message.name, byWorker);
  }

  /**
   * Drops the messages of a worker that is no longer a member. Its number is never given to another worker.
   */
  forget(worker: number): void {
    for (const byWorker of this.#newest.values()) byWorker.delete(worker);
  }

  /** The newest message `name` of every worker, if it matches. */
  matching<N extends MessageName>(
    name: N,
    matches: (body: Body<N>) => boolean,
  ): ReadonlyMap<number, Body<N>> {
    const found = new Map<number, Body<N>>();
    for (const [worker, message] of this.#newest.get(name) ?? []) {
      // keep() files every message under its own name.
      const body = message.body as Body<N>;
      if (matches(body)) found.set(worker, body);
    }
    return found;
  }
}
