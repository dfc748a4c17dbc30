/** Who is in the run: admits workers, notes what they say of themselves, finds out who is gone. */
import { coded, plainError, revivedError, type ErrorCode, type VitrailError } from '../shared/errors.js';
import type { Body, Message, MessageName } from '../shared/protocol/codec.js';
import type { ClusterEvent, ClusterEventKind } from './cluster-event.js';
import * as membership from './membership.js';
import type { Member } from './membership.js';
import { Quarantine } from './quarantine.js';
import { placementOf, type RunPosition } from './state-source.js';
import { Strangers } from './strangers.js';

/** What a run tells every worker that it admits. */
export type CommonWelcome = Pick<
  Body<'welcome'>,
  'configJson' | 'manifestDigest' | 'classes' | 'heartbeatMs'
>;

export interface RosterOptions {
  /** Workers the run takes at most, and needs at least. */
  readonly maxWorkers: number;
  readonly minWorkers: number;
  /** The number that the next worker gets. */
  readonly firstWorker: number;
  readonly suspectAfterMs: number;
  readonly removeAfterMs: number;
  readonly welcome: CommonWelcome;
  readonly position: () => RunPosition;
  /** Why a worker that is ready cannot take part, or null. */
  readonly refuses: (ready: Body<'ready'>) => VitrailError | null;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly send: <N extends MessageName>(peer: string, name: N, body: Body<N>) => void;
  /** The run cannot go on. */
  readonly onFatal: (error: VitrailError) => void;
}

/** Failures that every worker would meet with the same data and options: another worker is no help. */
const OF_THE_RUN: readonly ErrorCode[] = [
  'DATA_BROKEN_IMAGE',
  'LOSS_NOT_FINITE',
  'GRADIENT_NOT_FINITE',
  'BACKEND_MISMATCH',
];

/** A gap between two looks in which this process itself must have stood still. */
const AWAY_MS = 500;

function processOf({ host, pid }: { readonly host: string; readonly pid: number }): string {
  return `${host} ${pid}`;
}

export class Roster {
  readonly #options: RosterOptions;
  #members: readonly Member[] = [];
  #phase: 'assembling' | 'running' | 'closing' = 'assembling';
  #nextWorker: number;
  /** What everybody is told at the end, also those that come back only then. */
  #stop: Body<'stop'> = { clean: true, reason: '' };
  #lookedAtMs = performance.now();
  #committing = false;
  readonly #deferred: { readonly peer: string; readonly hello: Body<'hello'> }[] = [];
  /** The step that is under way, for messages. */
  #step = 0;
  readonly #quarantine = new Quarantine();
  /** Why workers that never became ready failed, by pid: their processes end a moment later. */
  readonly #refusals = new Map<number, VitrailError>();
  readonly #strangers: Strangers;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#nextWorker = options.firstWorker;
    this.#strangers = new Strangers((peer, question) => options.send(peer, 'whoAreYou', question));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /**
   * Connections of members, and of workers that were taken out or never got in: a worker that sleeps finds what was
   * sent to it when it wakes up, though the coordinator be gone by then.
   */
  get connected(): readonly string[] {
    return [...this.#members.map((m) => m.peer), ...this.#strangers.peers];
  }

  member(worker: number): Member | undefined {
    return this.#members.find((m) => m.worker === worker);
  }

  /** From now on a worker that is lost is no reason to end the run. */
  start(): void {
    this.#phase = 'running';
  }

  /** From now on workers leave. */
  startClosing(stop: Body<'stop'>): void {
    this.#stop = stop;
    this.#phase = 'closing';
  }

  atStep(step: number): void {
    this.#step = step;
  }

  /** Notes that the workers of `ring` were told to commit `step`. */
  committed(ring: readonly number[], step: number): void {
    this.#members = membership.committed(this.#members, ring, step);
    this.#committing = false;
    for (const { peer, hello } of this.#deferred.splice(0)) this.#admit(peer, hello, performance.now());
  }

  /** Takes what concerns membership. @returns the sender of any other message, null for strangers and if taken */
  hear(peer: string, message: Message, nowMs: number): Member | null {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) {
      if (this.#phase === 'closing') this.#options.send(peer, 'stop', this.#stop);
      else if (message.name === 'hello') this.#admit(peer, message.body, nowMs);
      else this.#strangers.heard(peer, nowMs);
      return null;
    }
    this.#members = membership.heard(this.#members, peer, nowMs);
    switch (message.name) {
      case 'hello':
        return null;
      case 'heartbeat':
        this.#members = membership.beaten(this.#members, peer, message.body, nowMs);
        this.#options.send(peer, 'heartbeatReply', { sequence: message.body.sequence });
        return null;
      case 'ready':
        this.#ready(member, message.body, nowMs);
        return null;
      case 'updateDone': {
        const applied = Math.max(member.applied, message.body.step + 1);
        this.#members = membership.heard(this.#members, peer, nowMs, { applied });
        return member;
      }
      case 'failure':
        this.#fail(member, message.body);
        return null;
      case 'leave':
        if (member.leaving) return null;
        this.#members = membership.heard(this.#members, peer, nowMs, { leaving: true });
        this.#event('leaving', member, `worker ${member.worker} asks to leave: ${message.body.reason}`);
        return null;
      case 'goodbye':
        this.#members = membership.without(this.#members, peer);
        this.#event('left', member, `worker ${member.worker} left`);
        return null;
      default:
        return member;
    }
  }

  /** Nobody is admitted until `committed`: a commit is being written down, and where the run is does not hold. */
  beginCommit(): void {
    this.#committing = true;
  }

  /** Removes members that have been silent for too long, and notes those that are on the way there. */
  findSilent(nowMs: number): void {
    const awayMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    // This process stood still, not they.
    if (awayMs > AWAY_MS) this.#members = membership.excused(this.#members, awayMs);
    const { suspectAfterMs, removeAfterMs } = this.#options;
    const { members, suspected, lost } = membership.findSilent(
      this.#members,
      nowMs,
      suspectAfterMs,
      removeAfterMs,
    );
    this.#members = members;
    const gone = new Set(lost.map(({ member }) => member.peer));
    for (const member of suspected) {
      if (!gone.has(member.peer)) this.#event('suspected', member, `worker ${member.worker} is silent`);
    }
    for (const { member, reason } of lost) this.lose(member.peer, reason);
  }

  lose(peer: string, reason: string): void {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) return;
    const error = membership.lostError({ member, reason }, this.#step);
    this.#remove(member, 'lost', error.message, error);
  }

  /** Takes a worker out that is there and does harm; it may come back. */
  expel(worker: number, kind: 'hung' | 'expelled', text: string, discardState: boolean): void {
    const member = this.member(worker);
    if (member === undefined) return;
    this.#remove(member, kind, text, null);
    this.#strangers.tell(member.peer, text, discardState, performance.now());
  }

  /** Takes a worker out that its neighbours in the ring do not reach, for a while where others are enough. */
  cutOff(worker: number, text: string): void {
    const member = this.member(worker);
    if (member === undefined) return;
    const ms = this.#quarantine.begin(processOf(member), performance.now());
    this.expel(worker, 'expelled', `${text}: it stays out for ${Math.round(ms / 1000)} s`, false);
  }

  /** Lets a worker go that asked for it. */
  dismiss(worker: number): void {
    const member = this.member(worker);
    if (member === undefined) return;
    this.#options.send(member.peer, 'stop', { clean: true, reason: 'left on request' });
    this.#members = membership.without(this.#members, member.peer);
    this.#event('left', member, `worker ${worker} left on request`);
  }

  /** Asks all members to say hello again: the run goes back to another state. */
  disband(reason: string): void {
    const before = this.#members;
    this.#members = [];
    for (const member of before) {
      this.#options.send(member.peer, 'whoAreYou', { reason, discardState: false });
      this.#event('left', member, `worker ${member.worker} is asked to join again: ${reason}`);
    }
  }

  /**
   * A process that was to be a worker has ended.
   * @param left others that run or will
   * @returns whether the run goes on
   */
  processEnded(pid: number, reason: string, left: number): boolean {
    if (this.#phase === 'closing') return false;
    const member = this.#members.find((m) => m.pid === pid);
    if (member !== undefined) this.lose(member.peer, reason);
    if (this.#phase === 'running' && (left > 0 || this.#members.length > 0)) return true;
    const worker = member?.worker ?? `with pid ${pid}`;
    const phase = member === undefined ? 'joining' : membership.phaseOf(member);
    const lost = coded('WORKER_LOST', { worker, step: this.#step, phase, reason });
    this.#options.onFatal(this.#refusals.get(pid) ?? lost);
    return false;
  }

  #admit(peer: string, hello: Body<'hello'>, nowMs: number): void {
    if (this.#committing) {
      this.#deferred.push({ peer, hello });
      return;
    }
    if (membership.memberOf(this.#members, peer) !== undefined) return;
    // It asks again and again; without enough others a bad link is better than none.
    const enough = this.#members.length >= this.#options.minWorkers;
    if (enough && this.#quarantine.holds(processOf(hello), nowMs)) {
      this.#strangers.heard(peer, nowMs);
      return;
    }
    const room = this.#options.maxWorkers - this.#members.length;
    const error = membership.admissionError(hello, room);
    if (error !== null) {
      this.#options.send(peer, 'refusal', plainError(error));
      this.#options.onEvent({ kind: 'refused', text: error.message });
      return;
    }
    this.#strangers.forget(peer);
    const { members, member } = membership.admit(this.#members, this.#nextWorker++, peer, hello, nowMs);
    const position = this.#options.position();
    const { holds, ...placement } = placementOf(hello, position);
    this.#members = membership.heard(members, peer, nowMs, { holds });
    const { runToken, step } = position;
    const { worker } = member;
    this.#options.send(peer, 'welcome', { ...this.#options.welcome, runToken, step, worker, ...placement });
    this.#event('joined', member, `worker ${worker} joined from ${hello.host} (pid ${hello.pid})`);
  }

  #ready(member: Member, ready: Body<'ready'>, nowMs: number): void {
    const refused = this.#options.refuses(ready);
    if (refused !== null) {
      this.#options.send(member.peer, 'refusal', plainError(refused));
      this.#remove(member, 'refused', `worker ${member.worker}: ${refused.message}`, refused);
      return;
    }
    const { hasState, step, backend } = ready;
    const change = { ready, state: hasState ? step : null, applied: hasState ? step : 0 };
    this.#members = membership.heard(this.#members, member.peer, nowMs, change);
    const state = hasState ? `the state of step ${step}` : 'no state yet';
    this.#event('ready', member, `worker ${member.worker} is ready (backend ${backend}, ${state})`);
  }

  #fail(member: Member, { code, problem, remedy }: Body<'failure'>): void {
    const error = revivedError({ code, problem: `worker ${member.worker}: ${problem}`, remedy });
    this.#remove(member, 'lost', `worker ${member.worker} failed: ${code}: ${problem}`, error);
    if (this.#phase === 'running' && OF_THE_RUN.includes(error.code)) this.#options.onFatal(error);
  }

  #remove(member: Member, kind: ClusterEventKind, text: string, error: VitrailError | null): void {
    this.#members = membership.without(this.#members, member.peer);
    this.#strangers.note(member.peer, text);
    this.#event(kind, member, text);
    if (error !== null && this.#phase === 'assembling') this.#refusals.set(member.pid, error);
  }

  #event(kind: ClusterEventKind, member: Member, text: string): void {
    this.#options.onEvent({ kind, worker: member.worker, text });
  }
}
