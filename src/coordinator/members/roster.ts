/** Keeps the list of members: notes what workers say about themselves, finds out who is gone, lets others in. */
import { coded, plainError, revivedError, type VitrailError } from '../../errors/errors.js';
import type { Clock } from '../../host/clock.js';
import type { Body, Message, MessageName } from '../../wire/codec.js';
import { Admission, type AdmissionOptions, type Applicant } from './admission.js';
import type { ClusterEvent, ClusterEventKind } from './cluster-event.js';
import * as membership from './membership.js';
import type { Member } from './membership.js';
import { arrivalText } from './place.js';
import { SilenceWatch, type SilenceLimits } from './silence-watch.js';
import { isOfTheRun, StartFailures } from './start-failures.js';
import { UnknownPeers } from './unknown-peers.js';

export interface RosterOptions extends AdmissionOptions, SilenceLimits {
  readonly clock: Clock;
  /** Of this machine: workers on it may be known by their process. */
  readonly hostName: string;
  /** Why a worker that is ready cannot take part, or null. */
  readonly refuses: (ready: Body<'ready'>) => VitrailError | null;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly send: <N extends MessageName>(peer: string, name: N, body: Body<N>) => void;
  /** Called when a worker is no longer a member, for whatever reason. Its number is not given again. */
  readonly onRemoved: (worker: number) => void;
  /** The run cannot go on. */
  readonly onFatal: (error: VitrailError) => void;
}

export class Roster {
  readonly #options: RosterOptions;
  #members: readonly Member[] = [];
  #phase: 'rendezvous' | 'running' | 'closing' = 'rendezvous';
  /** The last message to every worker, even to one that comes back only then. */
  #stop: Body<'stop'> = { clean: true, reason: '' };
  /** The step that is under way, for messages. */
  #step = 0;
  readonly #admission: Admission;
  readonly #silence: SilenceWatch;
  readonly #startFailures = new StartFailures();
  readonly #unknownPeers: UnknownPeers;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
    this.#silence = new SilenceWatch(options, options.clock.now());
    this.#unknownPeers = new UnknownPeers((peer, question) => options.send(peer, 'whoAreYou', question));
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  // A worker that sleeps reads its messages when it wakes up, even if the coordinator is gone by then.
  /** Connections of members, and of workers that were removed or never became members. */
  get connected(): readonly string[] {
    return [...this.#members.map((m) => m.peer), ...this.#unknownPeers.peers];
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

  /**
   * A commit is being written. Until `committed`, no worker is admitted, because it could not be told how far
   * the run is.
   */
  beginCommit(): void {
    this.#admission.pause();
  }

  /** Notes that the workers of `ring` were told to commit `step`. */
  committed(ring: readonly number[], step: number): void {
    this.#members = membership.committed(this.#members, ring, step);
    for (const applicant of this.#admission.resume()) this.#admit(applicant, this.#options.clock.now());
  }

  /**
   * Handles messages about membership. @returns the sender of any other message, else null (also for an
   * unknown peer)
   */
  hear(peer: string, message: Message, nowMs: number): Member | null {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) {
      if (this.#phase === 'closing') this.#options.send(peer, 'stop', this.#stop);
      else if (message.name === 'hello') this.#admit({ peer, hello: message.body }, nowMs);
      else this.#unknownPeers.heard(peer, nowMs);
      return null;
    }
    this.#members = membership.heard(this.#members, peer, nowMs);
    switch (message.name) {
      case 'hello':
        return null;
      case 'heartbeat':
        this.#members = membership.beaten(this.#members, peer, message.body, nowMs);
        this.#options.send(peer, 'heartbeatReply', {});
        return null;
      case 'ready':
        this.#ready(member, message.body);
        return null;
      case 'updateDone':
        this.#members = membership.applied(this.#members, peer, message.body.step);
        return member;
      case 'failure':
        this.#failed(member, message.body);
        return null;
      case 'leave':
        if (member.leaving) return null;
        this.#members = membership.heard(this.#members, peer, nowMs, { leaving: true });
        this.#event('leaving', member, `worker ${member.worker} asks to leave: ${message.body.reason}`);
        return null;
      case 'goodbye':
        this.#remove(member, 'left', `worker ${member.worker} left`);
        return null;
      default:
        return member;
    }
  }

  /** Removes members that have been silent for too long, and notes those that are on the way there. */
  findSilent(nowMs: number): void {
    const { members, suspected, lost } = this.#silence.look(this.#members, nowMs);
    this.#members = members;
    for (const member of suspected) this.#event('suspected', member, `worker ${member.worker} is silent`);
    for (const { member, reason } of lost) this.lose(member.peer, reason);
  }

  lose(peer: string, reason: string): void {
    const member = membership.memberOf(this.#members, peer);
    if (member === undefined) return;
    const error = membership.lostError({ member, reason }, this.#step);
    this.#removeUntold(member, 'lost', error.message, error);
  }

  /** Removes a worker that is alive and does harm. It may come back. */
  expel(worker: number, kind: 'hung' | 'expelled', text: string, discardState: boolean): void {
    const member = this.member(worker);
    if (member === undefined) return;
    if (discardState) this.#admission.distrust(member);
    this.#removeUntold(member, kind, text, null);
    this.#unknownPeers.tell(member.peer, text, discardState, this.#options.clock.now());
  }

  /**
   * Removes a worker that its neighbour in the ring cannot reach. If there are enough others, it stays out
   * for a while.
   */
  quarantine(worker: number, text: string): void {
    const member = this.member(worker);
    if (member === undefined) return;
    const ms = this.#admission.quarantine(member, this.#options.clock.now());
    this.expel(worker, 'expelled', `${text}: it stays out for ${Math.round(ms / 1000)} s`, false);
  }

  /** Lets a worker go that asked for it. */
  release(worker: number): void {
    const member = this.member(worker);
    if (member === undefined) return;
    this.#options.send(member.peer, 'stop', { clean: true, reason: 'left on request' });
    this.#remove(member, 'left', `worker ${worker} left on request`);
  }

  /** Asks all members to say hello again: the run rolls back to another state. */
  rejoinAll(reason: string): void {
    for (const member of this.#members) {
      this.#options.send(member.peer, 'whoAreYou', { reason, discardState: false });
      this.#remove(member, 'left', `worker ${member.worker} is asked to join again: ${reason}`);
    }
  }

  /** A worker process of this machine has ended; `left` others run or will. @returns whether the run goes on */
  processEnded(pid: number, reason: string, left: number): boolean {
    if (this.#phase === 'closing') return false;
    const { hostName: host } = this.#options;
    const member = this.#members.find((m) => m.host === host && m.pid === pid);
    if (member !== undefined) this.lose(member.peer, reason);
    if (this.#phase === 'running' && (left > 0 || this.#members.length > 0)) return true;
    const worker = member?.worker ?? `with pid ${pid}`;
    const phase = member === undefined ? 'joining' : membership.phaseOf(member);
    const lost = coded('WORKER_LOST', { worker, step: this.#step, phase, reason });
    this.#options.onFatal(this.#startFailures.of({ host, pid }) ?? lost);
    return false;
  }

  #admit(applicant: Applicant, nowMs: number): void {
    if (this.#admission.defers(applicant)) return;
    const { peer, hello } = applicant;
    if (membership.memberOf(this.#members, peer) !== undefined) return;
    // A connection may break only on the worker's side. Then the worker comes back long before its old
    // connection falls silent.
    const ghost = this.#members.find((m) => m.instance === hello.instance);
    if (ghost !== undefined) this.lose(ghost.peer, 'its process has come back on another connection');
    const decision = this.#admission.decide(this.#members, applicant, nowMs);
    switch (decision.kind) {
      case 'later':
        this.#unknownPeers.heard(peer, nowMs);
        return;
      case 'refused':
        this.#options.send(peer, 'refusal', plainError(decision.error));
        this.#options.onEvent({ kind: 'refused', text: decision.error.message });
        return;
      case 'admitted': {
        const { member, welcome } = decision;
        this.#unknownPeers.forget(peer);
        this.#startFailures.forget(member);
        this.#members = decision.members;
        this.#options.send(peer, 'welcome', welcome);
        this.#event('joined', member, arrivalText(member));
      }
    }
  }

  #ready(member: Member, ready: Body<'ready'>): void {
    const refused = this.#options.refuses(ready);
    if (refused !== null) {
      this.#options.send(member.peer, 'refusal', plainError(refused));
      this.#removeUntold(member, 'refused', `worker ${member.worker}: ${refused.message}`, refused);
      return;
    }
    this.#admission.trust(member);
    this.#members = membership.madeReady(this.#members, member.peer, ready);
    const { hasState, step, backend, device } = ready;
    const on = device === '' ? backend : `${device}, ${backend}`;
    const held = hasState ? `the state of step ${step}` : 'no state yet';
    this.#event('ready', member, `worker ${member.worker} on ${member.host} is ready (${on}, ${held})`);
  }

  #failed(member: Member, { code, problem, remedy }: Body<'failure'>): void {
    const error = revivedError({ code, problem: `worker ${member.worker}: ${problem}`, remedy });
    this.#removeUntold(member, 'lost', `worker ${member.worker} failed: ${code}: ${problem}`, error);
    if (this.#phase === 'running' && isOfTheRun(error)) this.#options.onFatal(error);
  }

  /**
   * Removes a member without telling it (`expel` does that afterwards): when it says something, it is asked who it is.
   * @param error why it was removed, if that may be the reason for the end of its process
   */
  #removeUntold(member: Member, kind: ClusterEventKind, text: string, error: VitrailError | null): void {
    this.#unknownPeers.note(member.peer, text);
    if (error !== null && this.#phase === 'rendezvous') this.#startFailures.note(member, error);
    this.#remove(member, kind, text);
  }

  #remove(member: Member, kind: ClusterEventKind, text: string): void {
    this.#members = membership.without(this.#members, member.peer);
    this.#options.onRemoved(member.worker);
    this.#event(kind, member, text);
  }

  #event(kind: ClusterEventKind, { worker, place }: Member, text: string): void {
    this.#options.onEvent({ kind, worker, place, atEnd: this.#phase === 'closing', text });
  }
}
