/** Who is in the run: admits workers, notes what they say of themselves, finds out who is gone. */
import { coded, plainError, revivedError, type VitrailError } from '../shared/errors.js';
import type { Body, Message, MessageName } from '../shared/protocol/codec.js';
import * as membership from './membership.js';
import type { Member } from './membership.js';

/** What an observer (log, metrics) is told. */
export interface ClusterEvent {
  readonly kind: 'joined' | 'ready' | 'refused' | 'garbage' | 'lost' | 'left';
  readonly worker?: number;
  readonly text: string;
}

export interface RosterOptions {
  /** Workers the run starts with, and needs throughout. */
  readonly workers: number;
  /** The Welcome for an admitted worker. */
  readonly welcome: (worker: number) => Body<'welcome'>;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly send: <N extends MessageName>(peer: string, name: N, body: Body<N>) => void;
  /** The run cannot go on. */
  readonly onFatal: (error: VitrailError) => void;
}

export class Roster {
  readonly #options: RosterOptions;
  #members: readonly Member[] = [];
  #phase: 'assembling' | 'running' | 'closing' = 'assembling';
  /** The step that is under way, for messages. */
  #step = 0;
  /** Why workers that never became ready failed, by pid: their processes end a moment later. */
  readonly #refusals = new Map<number, VitrailError>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get assembled(): boolean {
    return membership.isAssembled(this.#members, this.#options.workers);
  }

  /** From now on nobody joins, and a worker that is lost cannot be replaced. */
  start(): void {
    this.#phase = 'running';
  }

  /** From now on workers leave. */
  startClosing(): void {
    this.#phase = 'closing';
  }

  atStep(step: number): void {
    this.#step = step;
  }

  /** Takes what concerns membership. @returns the sender of any other message, null for strangers and if taken */
  hear(peer: string, message: Message, nowMs: number): Member | null {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) {
      if (message.name === 'hello') this.#admit(peer, message.body, nowMs);
      return null;
    }
    this.#members = membership.heard(this.#members, peer, nowMs);
    switch (message.name) {
      case 'heartbeat':
        this.#members = membership.heard(this.#members, peer, nowMs, { heartbeat: message.body });
        this.#options.send(peer, 'heartbeatReply', { sequence: message.body.sequence });
        return null;
      case 'ready':
        this.#members = membership.heard(this.#members, peer, nowMs, { ready: message.body });
        this.#event('ready', member, `worker ${member.worker} is ready (backend ${message.body.backend})`);
        return null;
      case 'failure': {
        const { code, problem, remedy } = message.body;
        const error = revivedError({ code, problem: `worker ${member.worker}: ${problem}`, remedy });
        this.#remove(member, `worker ${member.worker} failed: ${code}: ${problem}`, error);
        return null;
      }
      case 'goodbye':
        this.#leave(member);
        return null;
      default:
        return member;
    }
  }

  /** Removes members that have been silent for longer than `timeoutMs`. */
  findSilent(nowMs: number, timeoutMs: number): void {
    const silent = membership.silentMembers(this.#members, nowMs, timeoutMs);
    for (const { member, reason } of silent) this.lose(member.peer, reason);
  }

  lose(peer: string, reason: string): void {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) return;
    const error = membership.lostError({ member, reason }, this.#step);
    this.#remove(member, error.message, error);
  }

  /** A process that was to be a worker has ended, and nobody will start another. */
  processEnded(pid: number, reason: string): void {
    if (this.#phase === 'closing') return;
    const member = this.#members.find((m) => m.pid === pid);
    if (member !== undefined) this.lose(member.peer, reason);
    if (this.#phase === 'running') return;
    const lost = coded('WORKER_LOST', { worker: `with pid ${pid}`, step: 0, phase: 'joining', reason });
    this.#options.onFatal(this.#refusals.get(pid) ?? lost);
  }

  #admit(peer: string, hello: Body<'hello'>, nowMs: number): void {
    const room = this.#phase === 'assembling' ? this.#options.workers - this.#members.length : 0;
    const error = membership.admissionError(hello, room);
    if (error !== null) {
      this.#options.send(peer, 'refusal', plainError(error));
      this.#options.onEvent({ kind: 'refused', text: error.message });
      return;
    }
    const { members, member } = membership.admit(this.#members, peer, hello, nowMs);
    this.#members = members;
    this.#options.send(peer, 'welcome', this.#options.welcome(member.worker));
    this.#event('joined', member, `worker ${member.worker} joined from ${hello.host} (pid ${hello.pid})`);
  }

  #leave(member: Member): void {
    if (this.#phase !== 'closing') {
      this.lose(member.peer, 'it said goodbye');
      return;
    }
    this.#members = membership.without(this.#members, member.peer);
    this.#event('left', member, `worker ${member.worker} left`);
  }

  /** A worker that fails before the run has started makes room for another; later the run cannot go on. */
  #remove(member: Member, text: string, error: VitrailError): void {
    this.#members = membership.without(this.#members, member.peer);
    this.#event('lost', member, text);
    if (this.#phase === 'running') this.#options.onFatal(error);
    else this.#refusals.set(member.pid, error);
  }

  #event(kind: ClusterEvent['kind'], member: Member, text: string): void {
    this.#options.onEvent({ kind, worker: member.worker, text });
  }
}
