/** The training thread's side of the communication thread. */
import { coded, revivedError } from '../../errors/errors.js';
import type { Clock } from '../../host/clock.js';
import type { WorkerFigures } from '../../host/metrics/worker-metrics.js';
import type { Body, Message, MessageName } from '../../wire/codec.js';
import type { CallName, FromLink, LinkCalls, LinkThread, ToLink } from './link-contract.js';

interface PendingCall {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

const CLOSE_TIMEOUT_MS = 5000;

export class Link {
  readonly #clock: Clock;
  readonly #thread: LinkThread;
  readonly #inbox: Message[] = [];
  readonly #calls = new Map<number, PendingCall>();
  #nextCall = 0;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #opened!: (address: string) => void;
  #rejectFailed!: (error: Error) => void;
  readonly #metricsAddress: Promise<string>;
  #closing = false;
  readonly #ended: Promise<void>;
  /** Rejects with the error that ended the thread. */
  readonly #failed = new Promise<never>((_, reject) => (this.#rejectFailed = reject));

  private constructor(clock: Clock, thread: LinkThread) {
    this.#clock = clock;
    this.#thread = thread;
    this.#metricsAddress = new Promise((resolve) => (this.#opened = resolve));
    this.#ended = new Promise((resolve) => {
      thread.start({
        onMessage: (message) => this.#receive(message),
        onError: (error) => this.#fail(error),
        onExit: () => {
          resolve();
          if (!this.#closing) this.#fail(coded('INTERNAL', { reason: 'the communication thread ended' }));
        },
      });
    });
  }

  /** Starts the thread. @throws ADDRESS_INVALID, PORT_IN_USE */
  static async open(clock: Clock, thread: LinkThread): Promise<{ link: Link; metricsAddress: string }> {
    const link = new Link(clock, thread);
    return { link, metricsAddress: await Promise.race([link.#metricsAddress, link.#failed]) };
  }

  send<N extends MessageName>(name: N, body: Body<N>): void {
    this.#post({ kind: 'send', name, body });
  }

  observe(figures: WorkerFigures): void {
    this.#post({ kind: 'observe', figures });
  }

  async call<N extends CallName>(
    name: N,
    argument: LinkCalls[N]['argument'],
  ): Promise<LinkCalls[N]['answer']> {
    if (this.#failure !== null) throw this.#failure;
    const id = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#post({ kind: 'call', id, name, argument });
    });
  }

  /** The next control message. @throws COORDINATOR_UNREACHABLE, or what the thread failed with */
  async receive(): Promise<Message> {
    for (;;) {
      const message = this.#inbox.shift();
      if (message !== undefined) return message;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Throws the error that ended the link, if there is one. Called between micro-batches. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Whether the coordinator has asked for a hello and the message is not read yet. */
  get disowned(): boolean {
    return this.#inbox.some((message) => message.name === 'whoAreYou');
  }

  /** Sends a log line to the coordinator, which shows it if this worker hangs. */
  log(line: string): void {
    this.#post({ kind: 'log', line });
  }

  async close(): Promise<void> {
    this.#closing = true;
    const timer = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#thread.terminate());
    this.#post({ kind: 'call', id: -1, name: 'close', argument: null });
    await this.#ended;
    timer.cancel();
  }

  #post(message: ToLink): void {
    this.#thread.post(message);
  }

  #receive(message: FromLink): void {
    switch (message.kind) {
      case 'opened':
        this.#opened(message.metricsAddress);
        break;
      case 'message':
        this.#inbox.push(message.message);
        break;
      case 'answer':
        this.#calls.get(message.id)?.resolve(message.answer as never);
        this.#calls.delete(message.id);
        break;
      case 'refused':
        this.#calls.get(message.id)?.reject(revivedError(message.failure));
        this.#calls.delete(message.id);
        break;
      case 'lost':
        this.#fail(revivedError(message.failure));
    }
    this.#wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#rejectFailed(this.#failure);
    for (const call of this.#calls.values()) call.reject(this.#failure);
    this.#calls.clear();
    this.#wake?.();
  }
}
