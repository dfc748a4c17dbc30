/** The newest message of each kind from every worker. */
import type { Body, Message, MessageName } from '../../wire/codec.js';

export class Inbox {
  readonly #newest = new Map<MessageName, Map<number, Message>>();

  keep(worker: number, message: Message): void {
    const byWorker = this.#newest.get(message.name) ?? new Map<number, Message>();
    byWorker.set(worker, message);
    this.#newest.set(message.name, byWorker);
  }

  /** A worker is no member any more: its number is never given again. */
  forget(worker: number): void {
    for (const byWorker of this.#newest.values()) byWorker.delete(worker);
  }

  /** The newest `name` of every worker, where it matches. */
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
