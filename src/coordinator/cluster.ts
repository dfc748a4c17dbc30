/** The workers of a run as the trainer sees them: assemble, tell, collect, pull. */
import { coded, reasonOf, VitrailError } from '../shared/errors.js';
import type { Body, Message, MessageName } from '../shared/protocol/codec.js';
import { StatePull, stateChunk } from '../shared/protocol/state-pull.js';
import { ControlServer } from './control-server.js';
import { Inbox } from './inbox.js';
import * as membership from './membership.js';
import type { Member } from './membership.js';
import { Roster, type ClusterEvent } from './roster.js';
import { Waiting } from './waiting.js';

export interface ClusterOptions {
  readonly listen: string;
  /** Workers the run starts with, and needs throughout. */
  readonly workers: number;
  readonly heartbeatTimeoutMs: number;
  /** The Welcome for an admitted worker. */
  readonly welcome: (worker: number) => Body<'welcome'>;
  /** The bytes of a part of the state that workers may pull. */
  readonly offer: (part: string) => Uint8Array | undefined;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onUpdate: (worker: number, body: Body<'updateDone'>) => void;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #roster: Roster;
  readonly #inbox = new Inbox();
  readonly #waiting = new Waiting();
  readonly #watch: NodeJS.Timeout;
  #server!: ControlServer;
  /** The first failure ends every wait, present and later. */
  #failure: VitrailError | null = null;
  #pull: { readonly worker: number; readonly pull: StatePull } | null = null;
  #transfers = 0;

  private constructor(options: ClusterOptions) {
    this.#options = options;
    const { workers, welcome, onEvent, heartbeatTimeoutMs } = options;
    this.#roster = new Roster({
      ...{ workers, welcome, onEvent },
      send: (peer, name, body) => this.#server.send(peer, name, body),
      onFatal: (error) => this.#fail(error),
    });
    this.#watch = setInterval(
      () => this.#lookAround(),
      Math.min(1000, Math.max(20, heartbeatTimeoutMs / 10)),
    );
  }

  /** @throws PORT_IN_USE, ADDRESS_INVALID */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      cluster.#server = await ControlServer.listen(options.listen, {
        onMessage: (peer, message) => cluster.#receive(peer, message),
        onGarbage: (peer, reason) => {
          options.onEvent({ kind: 'garbage', text: coded('PROTOCOL_GARBAGE', { peer, reason }).message });
        },
        onUnreachable: (peer) => cluster.#roster.lose(peer, 'its connection is gone'),
        onFailure: (error) => cluster.#fail(coded('INTERNAL', { reason: reasonOf(error) })),
      });
    } catch (error) {
      clearInterval(cluster.#watch);
      throw error;
    }
    return cluster;
  }

  /** Where workers connect, with the actual port. */
  get address(): string {
    return this.#server.address;
  }

  get members(): readonly Member[] {
    return this.#roster.members;
  }

  /** Numbers of the workers, ascending. */
  get workers(): readonly number[] {
    return this.members.map((m) => m.worker);
  }

  /**
   * Waits until all workers are ready, or `interrupted` says true (asked every second or oftener).
   * @returns whether all are ready
   * @throws WORKERS_MISSING; what a worker failed with that cannot be replaced
   */
  async assemble(timeoutMs: number, interrupted: () => boolean): Promise<boolean> {
    const end = await this.#until(() => this.#roster.assembled || interrupted(), timeoutMs);
    if (end === 'late') {
      const joined = this.members.filter((m) => m.ready !== null).length;
      throw coded('WORKERS_MISSING', { joined, expected: this.#options.workers, waitedMs: timeoutMs });
    }
    if (!this.#roster.assembled) return false;
    this.#roster.start();
    return true;
  }

  send<N extends MessageName>(worker: number, name: N, body: Body<N>): void {
    const member = this.members.find((m) => m.worker === worker);
    if (member !== undefined) this.#server.send(member.peer, name, body);
  }

  broadcast<N extends MessageName>(name: N, body: Body<N>): void {
    for (const { peer } of this.members) this.#server.send(peer, name, body);
  }

  /**
   * Waits for one matching `name` from every worker, as long as those that are waited for make progress.
   * @param timeoutMs longest time without any progress
   * @throws WORKER_LOST, STEP_TIMEOUT, or what a worker failed with
   */
  async collect<N extends MessageName>(
    name: N,
    step: number,
    matches: (body: Body<N>) => boolean,
    timeoutMs: number,
  ): Promise<ReadonlyMap<number, Body<N>>> {
    this.#roster.atStep(step);
    const present = (): ReadonlyMap<number, Body<N>> => this.#inbox.matching(name, matches);
    const missing = (): readonly Member[] => {
      const answers = present();
      return this.members.filter((m) => !answers.has(m.worker));
    };
    let before = '';
    while ((await this.#until(() => missing().length === 0, timeoutMs)) === 'late') {
      const progress = membership.progressOf(missing());
      if (progress === before) {
        throw coded('STEP_TIMEOUT', { step, timeoutMs, waiting: membership.describe(missing()) });
      }
      before = progress;
    }
    return present();
  }

  /** The bytes of `part` of a worker's state. @throws WORKER_LOST */
  async pull(worker: number, part: string): Promise<Uint8Array> {
    if (this.#failure !== null) throw this.#failure;
    const pull = new StatePull(++this.#transfers, part, (request) =>
      this.send(worker, 'stateRequest', request),
    );
    this.#pull = { worker, pull };
    try {
      return await pull.run();
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      const member = this.members.find((m) => m.worker === worker);
      const reason = reasonOf(error);
      throw coded('WORKER_LOST', {
        worker,
        step: member?.heartbeat?.step ?? 0,
        phase: 'state transfer',
        reason,
      });
    } finally {
      this.#pull = null;
    }
  }

  /** Tells the cluster that a process which was to be a worker has ended: whoever started it knows at once. */
  processEnded(pid: number, reason: string): void {
    this.#roster.processEnded(pid, reason);
  }

  /** Tells all workers to stop, waits for their goodbyes for at most `timeoutMs`, closes. */
  async close(stop: Body<'stop'>, timeoutMs: number): Promise<void> {
    this.#roster.startClosing();
    clearInterval(this.#watch);
    this.broadcast('stop', stop);
    await this.#waiting.until(() => this.members.length === 0, timeoutMs);
    await this.#server.close();
  }

  #receive(peer: string, message: Message): void {
    const member = this.#roster.hear(peer, message, performance.now());
    if (member !== null) this.#take(member, message);
    this.#waiting.notify();
  }

  #take(member: Member, message: Message): void {
    switch (message.name) {
      case 'stateRequest': {
        const bytes = this.#options.offer(message.body.part) ?? new Uint8Array(0);
        this.#server.send(member.peer, 'stateChunk', stateChunk(message.body, bytes));
        return;
      }
      case 'stateChunk':
        if (this.#pull?.worker === member.worker) this.#pull.pull.accept(message.body);
        return;
      case 'updateDone':
        this.#options.onUpdate(member.worker, message.body);
        break;
      default:
    }
    this.#inbox.keep(member.worker, message);
  }

  #lookAround(): void {
    this.#roster.findSilent(performance.now(), this.#options.heartbeatTimeoutMs);
    // Conditions that nobody reports, a signal for one, are looked at here.
    this.#waiting.notify();
  }

  #fail(error: VitrailError): void {
    this.#failure ??= error;
    this.#pull?.pull.fail(this.#failure);
    this.#waiting.notify();
  }

  /** Like Waiting.until, but a failure of the cluster rejects. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<'met' | 'late'> {
    const end = await this.#waiting.until(() => this.#failure !== null || condition(), timeoutMs);
    if (this.#failure !== null) throw this.#failure;
    return end;
  }
}
