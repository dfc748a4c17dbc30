/** The workers of a run as the trainer sees them: assemble, tell, collect, pull. */
import { coded, VitrailError, type ErrorCode } from '../shared/errors.js';
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

const PULL_TIMEOUT_MS = 60_000;

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

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#findSilent(), Math.max(20, options.heartbeatTimeoutMs / 10));
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

  /** Waits until all workers are ready. @throws WORKERS_MISSING, or what a worker failed with */
  async assemble(timeoutMs: number): Promise<void> {
    const expected = this.#options.workers;
    const end = await this.#until(() => membership.isAssembled(this.#members, expected), timeoutMs);
    if (end === 'late') {
      const joined = this.#members.filter((m) => m.ready !== null).length;
      throw coded('WORKERS_MISSING', { joined, expected, waitedMs: timeoutMs });
    }
    this.#started = true;
  }

  send<N extends MessageName>(worker: number, name: N, body: Body<N>): void {
    const member = this.#members.find((m) => m.worker === worker);
    if (member !== undefined) this.#server.send(member.peer, name, body);
  }

  broadcast<N extends MessageName>(name: N, body: Body<N>): void {
    for (const { peer } of this.#members) this.#server.send(peer, name, body);
  }

  /**
   * Waits for one matching `name` from every worker.
   * @throws WORKER_LOST, STEP_TIMEOUT, or what a worker failed with
   */
  async collect<N extends MessageName>(
    name: N,
    step: number,
    matches: (body: Body<N>) => boolean,
    timeoutMs: number,
  ): Promise<ReadonlyMap<number, Body<N>>> {
    this.#step = step;
    const bodies = (): ReadonlyMap<number, Body<N>> => {
      const newest = (this.#inbox.get(name) ?? new Map()) as ReadonlyMap<number, Body<N>>;
      return new Map([...newest].filter(([, body]) => matches(body)));
    };
    const complete = (): boolean => {
      const present = bodies();
      return this.#members.every((m) => present.has(m.worker));
    };
    if ((await this.#until(complete, timeoutMs)) === 'met') return bodies();
    const present = bodies();
    const waiting = this.#members
      .filter((m) => !present.has(m.worker))
      .map((m) => `worker ${m.worker} (${phaseOf(m)})`)
      .join(', ');
    throw coded('STEP_TIMEOUT', { step, timeoutMs, waiting });
  }

  /** The bytes of `part` of a worker's state. @throws WORKER_LOST */
  async pull(worker: number, part: string): Promise<Uint8Array> {
    const pull = new StatePull(++this.#transfers, part, (request) =>
      this.send(worker, 'stateRequest', request),
    );
    this.#pull = { worker, pull };
    const timer = setTimeout(() => {
      const reason = `no answer to a request for ${part} within ${PULL_TIMEOUT_MS} ms`;
      pull.fail(coded('WORKER_LOST', { worker, step: this.#step, phase: 'state transfer', reason }));
    }, PULL_TIMEOUT_MS);
    if (this.#failure === null) pull.start();
    else pull.fail(this.#failure);
    try {
      return await pull.done;
    } finally {
      clearTimeout(timer);
      this.#pull = null;
    }
  }

  /** Tells the cluster that a worker's process has ended: a supervisor knows at once. */
  processEnded(pid: number, reason: string): void {
    const member = this.#members.find((m) => m.pid === pid);
    if (member !== undefined) this.#lose(member.peer, reason);
    else if (!this.#started) {
      this.#fail(coded('WORKER_LOST', { worker: `with pid ${pid}`, step: 0, phase: 'joining', reason }));
    }
  }

  /** Tells all workers to stop, waits for their goodbyes for at most `timeoutMs`, closes. */
  async close(stop: Body<'stop'>, timeoutMs: number): Promise<void> {
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
        this.#members = membership.without(this.#members, peer);
        this.#event('left', member, `worker ${member.worker} left`);
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

  #workerFailed(member: Member, failure: Body<'failure'>): void {
    this.#members = membership.without(this.#members, member.peer);
    const { code, problem, remedy } = failure;
    this.#event('lost', member, `worker ${member.worker} failed: ${code}: ${problem}`);
    this.#fail(new VitrailError(code as ErrorCode, `worker ${member.worker}: ${problem}`, remedy));
  }

  #findSilent(): void {
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
    this.#members = membership.without(this.#members, peer);
    const error = lostError({ member, reason }, this.#step);
    this.#event('lost', member, error.message);
    this.#fail(error);
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
  const name = Phase[member.heartbeat?.phase ?? Phase.PHASE_IDLE];
  return name.replace('PHASE_', '').toLowerCase().replaceAll('_', ' ');
}

function lostError({ member, reason }: Lost, step: number): VitrailError {
  return coded('WORKER_LOST', { worker: member.worker, step, phase: phaseOf(member), reason });
}
