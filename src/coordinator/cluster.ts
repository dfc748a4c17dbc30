/** The workers of a run as the trainer sees them: assemble, tell, collect, pull. */
import { coded, reasonOf, VitrailError, type ErrorCode } from '../shared/errors.js';
import {
  Phase,
  PROTOCOL_VERSION,
  type Body,
  type Message,
  type MessageName,
} from '../shared/protocol/codec.js';
import { StatePull, stateChunk } from '../shared/protocol/state-pull.js';
import { ControlServer } from './control-server.js';
import * as membership from './membership.js';
import type { Lost, Member } from './membership.js';
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

/** What an observer (log, metrics) is told. */
export interface ClusterEvent {
  readonly kind: 'joined' | 'ready' | 'refused' | 'garbage' | 'lost' | 'left';
  readonly worker?: number;
  readonly text: string;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #waiting = new Waiting();
  readonly #watch: NodeJS.Timeout;
  #server!: ControlServer;
  #members: readonly Member[] = [];
  #started = false;
  /** The first failure ends every wait, present and later. */
  #failure: VitrailError | null = null;
  /** Newest message of each kind, by worker. */
  readonly #inbox = new Map<MessageName, Map<number, unknown>>();
  #pull: { readonly worker: number; readonly pull: StatePull } | null = null;
  #transfers = 0;
  #step = 0;
  #closing = false;
  /** Why workers that never became ready failed, by pid: their processes end a moment later. */
  readonly #refusals = new Map<number, VitrailError>();

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.#watch = setInterval(
      () => this.#findSilent(),
      Math.min(1000, Math.max(20, options.heartbeatTimeoutMs / 10)),
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
        onUnreachable: (peer) => cluster.#lose(peer, 'its connection is gone'),
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
    return this.#members;
  }

  /** Numbers of the workers, ascending. */
  get workers(): readonly number[] {
    return this.#members.map((m) => m.worker);
  }

  /**
   * Waits until all workers are ready, or `interrupted` says true (asked every second or oftener).
   * @returns whether all are ready
   * @throws WORKERS_MISSING; what a worker failed with that cannot be replaced
   */
  async assemble(timeoutMs: number, interrupted: () => boolean): Promise<boolean> {
    const expected = this.#options.workers;
    const assembled = (): boolean => membership.isAssembled(this.#members, expected);
    const end = await this.#until(() => assembled() || interrupted(), timeoutMs);
    if (end === 'late') {
      const joined = this.#members.filter((m) => m.ready !== null).length;
      throw coded('WORKERS_MISSING', { joined, expected, waitedMs: timeoutMs });
    }
    this.#started = assembled();
    return this.#started;
  }

  send<N extends MessageName>(worker: number, name: N, body: Body<N>): void {
    const member = this.#members.find((m) => m.worker === worker);
    if (member !== undefined) this.#server.send(member.peer, name, body);
  }

  broadcast<N extends MessageName>(name: N, body: Body<N>): void {
    for (const { peer } of this.#members) this.#server.send(peer, name, body);
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
    this.#step = step;
    const newest = (): ReadonlyMap<number, Body<N>> =>
      new Map(
        [...((this.#inbox.get(name) ?? []) as Iterable<[number, Body<N>]>)].filter(([, body]) =>
          matches(body),
        ),
      );
    const missing = (): readonly Member[] => {
      const present = newest();
      return this.#members.filter((m) => !present.has(m.worker));
    };
    for (let progress = ''; ;) {
      if ((await this.#until(() => missing().length === 0, timeoutMs)) === 'met') return newest();
      const waiting = missing();
      const now = waiting.map((m) => `${m.worker}:${m.heartbeat?.progress ?? 0}`).join();
      if (now === progress) {
        const names = waiting.map((m) => `worker ${m.worker} (${phaseOf(m)})`).join(', ');
        throw coded('STEP_TIMEOUT', { step, timeoutMs, waiting: names });
      }
      progress = now;
    }
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
      throw coded('WORKER_LOST', {
        worker,
        step: this.#step,
        phase: 'state transfer',
        reason: reasonOf(error),
      });
    } finally {
      this.#pull = null;
    }
  }

  /** Tells the cluster that a process which was to be a worker has ended: whoever started it knows at once. */
  processEnded(pid: number, reason: string): void {
    if (this.#closing) return;
    const member = this.#members.find((m) => m.pid === pid);
    if (member !== undefined) this.#lose(member.peer, reason);
    if (this.#started) return;
    const lost = coded('WORKER_LOST', { worker: `with pid ${pid}`, step: 0, phase: 'joining', reason });
    this.#fail(this.#refusals.get(pid) ?? lost);
  }

  /** Tells all workers to stop, waits for their goodbyes for at most `timeoutMs`, closes. */
  async close(stop: Body<'stop'>, timeoutMs: number): Promise<void> {
    this.#closing = true;
    clearInterval(this.#watch);
    this.broadcast('stop', stop);
    await this.#waiting.until(() => this.#members.length === 0, timeoutMs);
    await this.#server.close();
  }

  #receive(peer: string, message: Message): void {
    const nowMs = performance.now();
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) {
      if (message.name === 'hello') this.#admit(peer, message.body, nowMs);
      return;
    }
    this.#members = membership.heard(this.#members, peer, nowMs);
    switch (message.name) {
      case 'heartbeat':
        this.#members = membership.heard(this.#members, peer, nowMs, { heartbeat: message.body });
        this.#server.send(peer, 'heartbeatReply', { sequence: message.body.sequence });
        return;
      case 'ready':
        this.#members = membership.heard(this.#members, peer, nowMs, { ready: message.body });
        this.#event('ready', member, `worker ${member.worker} is ready (backend ${message.body.backend})`);
        break;
      case 'stateRequest':
        this.#serve(peer, message.body);
        return;
      case 'stateChunk':
        if (this.#pull?.worker === member.worker) this.#pull.pull.accept(message.body);
        return;
      case 'failure':
        this.#workerFailed(member, message.body);
        break;
      case 'goodbye':
        this.#leave(member);
        break;
      default:
        if (message.name === 'updateDone') this.#options.onUpdate(member.worker, message.body);
        this.#keep(member, message);
    }
    this.#waiting.notify();
  }

  #keep(member: Member, message: Message): void {
    const newest = this.#inbox.get(message.name) ?? new Map<number, unknown>();
    newest.set(member.worker, message.body);
    this.#inbox.set(message.name, newest);
  }

  #admit(peer: string, hello: Body<'hello'>, nowMs: number): void {
    const error = this.#admissionError(hello);
    if (error !== null) {
      this.#server.send(peer, 'refusal', { code: error.code, problem: error.problem, remedy: error.remedy });
      this.#options.onEvent({ kind: 'refused', text: error.message });
      return;
    }
    const { members, member } = membership.admit(this.#members, peer, hello, nowMs);
    this.#members = members;
    this.#server.send(peer, 'welcome', this.#options.welcome(member.worker));
    this.#event('joined', member, `worker ${member.worker} joined from ${hello.host} (pid ${hello.pid})`);
  }

  #admissionError(hello: Body<'hello'>): VitrailError | null {
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      return coded('PROTOCOL_VERSION', { worker: hello.protocolVersion, coordinator: PROTOCOL_VERSION });
    }
    if (this.#started || this.#members.length >= this.#options.workers) {
      return coded('WORKER_REFUSED', { reason: `the run has all its ${this.#options.workers} workers` });
    }
    return null;
  }

  #serve(peer: string, request: Body<'stateRequest'>): void {
    const bytes = this.#options.offer(request.part) ?? new Uint8Array(0);
    this.#server.send(peer, 'stateChunk', stateChunk(request, bytes));
  }

  #leave(member: Member): void {
    if (!this.#closing) {
      this.#lose(member.peer, 'it said goodbye');
      return;
    }
    this.#members = membership.without(this.#members, member.peer);
    this.#event('left', member, `worker ${member.worker} left`);
  }

  #workerFailed(member: Member, failure: Body<'failure'>): void {
    const { code, problem, remedy } = failure;
    const error = new VitrailError(code as ErrorCode, `worker ${member.worker}: ${problem}`, remedy);
    this.#remove(member, `worker ${member.worker} failed: ${code}: ${problem}`, error);
  }

  /** A worker that fails before the run has started makes room for another; later the run cannot go on. */
  #remove(member: Member, text: string, error: VitrailError): void {
    this.#members = membership.without(this.#members, member.peer);
    this.#event('lost', member, text);
    if (this.#started && !this.#closing) this.#fail(error);
    else this.#refusals.set(member.pid, error);
  }

  #findSilent(): void {
    // Conditions that nobody reports, a signal for one, are looked at here.
    this.#waiting.notify();
    const silent = membership.silentMembers(
      this.#members,
      performance.now(),
      this.#options.heartbeatTimeoutMs,
    );
    for (const { member, reason } of silent) this.#lose(member.peer, reason);
  }

  #lose(peer: string, reason: string): void {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) return;
    const error = lostError({ member, reason }, this.#step);
    this.#remove(member, error.message, error);
    this.#waiting.notify();
  }

  #fail(error: VitrailError): void {
    this.#failure ??= error;
    this.#pull?.pull.fail(this.#failure);
    this.#waiting.notify();
  }

  #event(kind: ClusterEvent['kind'], member: Member, text: string): void {
    this.#options.onEvent({ kind, worker: member.worker, text });
  }

  /** Like Waiting.until, but a failure of the cluster rejects. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<'met' | 'late'> {
    const end = await this.#waiting.until(() => this.#failure !== null || condition(), timeoutMs);
    if (this.#failure !== null) throw this.#failure;
    return end;
  }
}

function phaseOf(member: Member): string {
  // An enum of proto3 is open: a newer or defective peer may send any number.
  const name = (Phase as Readonly<Record<number, string>>)[member.heartbeat?.phase ?? 0] ?? 'PHASE_UNKNOWN';
  return name.replace('PHASE_', '').toLowerCase().replaceAll('_', ' ');
}

function lostError({ member, reason }: Lost, step: number): VitrailError {
  return coded('WORKER_LOST', { worker: member.worker, step, phase: phaseOf(member), reason });
}
