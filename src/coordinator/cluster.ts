/**
 * The trainer's interface to the workers of a run: sends them messages, waits for their answers, and pulls
 * state.
 */
import { coded, reasonOf, type VitrailError } from '../errors/errors.js';
import { faultPoint } from '../host/fault-injection.js';
import type { Body, Message, MessageName } from '../wire/codec.js';
import type { ClusterEvent } from './members/cluster-event.js';
import type { Clock, Timer } from '../host/clock.js';
import type { ControlListener, CoordinatorNetwork } from '../host/network.js';
import {
  waitForAnswers,
  type AnswerWaitServices,
  type AnswerWaitEnd,
  type AnswerWaitOptions,
} from './waits/answer-wait.js';
import { Inbox } from './members/inbox.js';
import * as membership from './members/membership.js';
import type { Member } from './members/membership.js';
import { answerStateRequest } from './members/offer.js';
import { PhaseHistory } from './waits/phase-history.js';
import { Roster, type RosterOptions } from './members/roster.js';
import { RunWait } from './waits/run-wait.js';
import type { WaitEnd } from './waits/condition-wait.js';
import { WorkerPull } from './recovery/worker-pull.js';

export type ClusterOptions = Omit<RosterOptions, 'send' | 'onRemoved' | 'onFatal'> & {
  readonly network: CoordinatorNetwork;
  readonly listen: string;
  /** The bytes of a part of the state that workers may pull. */
  readonly offer: (part: string) => Uint8Array | undefined;
  readonly onUpdate: (worker: number, body: Body<'updateDone'>) => void;
};

/** How often the cluster checks for events without a message, such as silence and signals. */
const LOOK_AROUND_MS = 100;

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #roster: Roster;
  readonly #inbox = new Inbox();
  readonly #waits: RunWait;
  readonly #watch: Timer;
  readonly #history = new PhaseHistory();
  readonly #pull: WorkerPull;
  readonly #services: AnswerWaitServices;
  #server!: ControlListener;
  #numbers = 0;

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.#waits = new RunWait(options.clock);
    this.#roster = new Roster({
      ...options,
      send: (peer, name, body) => this.#server.send(peer, name, body),
      onRemoved: (worker) => {
        this.#inbox.forget(worker);
        this.#pull.removed(worker);
        this.#waits.notify();
      },
      onFatal: (error) => this.#waits.fail(error),
    });
    this.#pull = new WorkerPull({
      clock: options.clock,
      waits: this.#waits,
      send: (worker, request) => this.send(worker, 'stateRequest', request),
      isMember: (worker) => this.#roster.member(worker) !== undefined,
    });
    this.#services = {
      clock: options.clock,
      roster: this.#roster,
      inbox: this.#inbox,
      history: this.#history,
      waits: this.#waits,
      note: options.onEvent,
    };
    this.#watch = options.clock.every(LOOK_AROUND_MS, () => this.#lookAround());
  }

  /** @throws PORT_IN_USE, ADDRESS_INVALID */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      cluster.#server = await options.network.listenControl(options.listen, {
        onMessage: (peer, message) => cluster.#receive(peer, message),
        onGarbage: (peer, reason) => {
          options.onEvent({ kind: 'garbage', text: coded('PROTOCOL_GARBAGE', { peer, reason }).message });
        },
        onUnreachable: (peer) => cluster.#roster.lose(peer, 'its connection is gone'),
        // ZeroMQ does not say whose connection it was. Sending to every member shows it.
        onDisconnect: () => {
          for (const { peer } of cluster.members) cluster.#server.send(peer, 'heartbeatReply', {});
        },
        onFailure: (error) => cluster.#waits.fail(coded('INTERNAL', { reason: reasonOf(error) })),
      });
    } catch (error) {
      cluster.#watch.cancel();
      throw error;
    }
    return cluster;
  }

  /** The address where workers connect, with the actual port. */
  get address(): string {
    return this.#server.address;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  get members(): readonly Member[] {
    return this.#roster.members;
  }

  /** Numbers of the workers. */
  get workers(): readonly number[] {
    return this.members.map((m) => m.worker);
  }

  /** A number for a request; it differs from that of every other request of this cluster. */
  nextNumber(): number {
    return ++this.#numbers;
  }

  /** The members that can take part in a step. */
  get ready(): readonly Member[] {
    return membership.readyMembers(this.members);
  }

  /** Numbers of the workers that hold the state after `step` committed steps. */
  holders(step: number): readonly number[] {
    return membership.holders(this.members, step).map((m) => m.worker);
  }

  /** The error that has ended the run, or null. */
  get failed(): VitrailError | null {
    return this.#waits.failure;
  }

  /** Ends every wait, now and later, with `error`. */
  fail(error: VitrailError): void {
    this.#waits.fail(error);
  }

  /** From now on workers may be lost. */
  start(): void {
    this.#roster.start();
  }

  /** Waits for `condition`, which is checked again with every message and ten times a second. */
  async until(condition: () => boolean, timeoutMs: number): Promise<WaitEnd> {
    return this.#waits.until(condition, timeoutMs);
  }

  send<N extends MessageName>(worker: number, name: N, body: Body<N>): void {
    const member = this.#roster.member(worker);
    if (member !== undefined) this.#server.send(member.peer, name, body);
  }

  /**
   * Waits until at least one worker holds the state after `step` steps, and returns all that do. A worker
   * whose connection broke comes back with its state, so it is worth waiting for.
   * @throws STATE_LOST
   */
  async someHolders(step: number): Promise<readonly number[]> {
    const end = await this.until(() => this.holders(step).length > 0, this.#options.heartbeatTimeoutMs);
    if (end === 'late') throw coded('STATE_LOST', { step });
    return this.holders(step);
  }

  /**
   * Tells the workers of `ring` that the step is committed.
   * @param write first writes the commit to the journal; no worker joins until the workers are told
   */
  async commit(ring: readonly number[], body: Body<'commit'>, write: () => Promise<void>): Promise<void> {
    this.#roster.beginCommit();
    await write();
    faultPoint('after-journal', body.step);
    for (const [i, worker] of ring.entries()) {
      if (i === 1) faultPoint('mid-commit', body.step);
      this.send(worker, 'commit', body);
    }
    this.#roster.committed(ring, body.step);
  }

  /**
   * Waits for a matching answer from every worker of `from`, for the first of them that is lost, or for a stall of the ring.
   * @throws STEP_TIMEOUT if every worker that could go on hangs, or the error that has ended the run
   */
  async waitForAnswers<N extends MessageName>(options: AnswerWaitOptions<N>): Promise<AnswerWaitEnd<N>> {
    return waitForAnswers(this.#services, options);
  }

  /** The bytes of `part` of the state after `step` steps, from a worker. @throws WORKER_LOST, what has ended the run */
  async pull(worker: number, part: string, step: number): Promise<Uint8Array> {
    return this.#pull.run(worker, part, step, this.nextNumber());
  }

  /** Remembers how long the phases of a step took, so that a verdict can say what is usual. */
  noteTimings(timings: Body<'stepDone'>['timings']): void {
    this.#history.note(timings);
  }

  /** Removes a worker that does harm. It is told so, and may come back without its state. */
  expel(worker: number, text: string): void {
    this.#roster.expel(worker, 'expelled', text, true);
  }

  /** Removes a worker that others cannot reach. Its state is not in doubt. */
  quarantine(worker: number, text: string): void {
    this.#roster.quarantine(worker, text);
  }

  /** Lets a worker go that has asked to leave. */
  release(worker: number): void {
    this.#roster.release(worker);
  }

  /** Asks all workers to join again: the run rolls back to another state. */
  rejoinAll(reason: string): void {
    this.#roster.rejoinAll(reason);
  }

  note(event: ClusterEvent): void {
    this.#options.onEvent(event);
  }

  /** A worker's process has ended; `left` others run or will be started. @returns whether starting another one helps */
  processEnded(pid: number, reason: string, left: number): boolean {
    return this.#roster.processEnded(pid, reason, left) && this.failed === null;
  }

  /** Tells all workers to stop, waits for their goodbyes for at most `timeoutMs`, closes. */
  async close(stop: Body<'stop'>, timeoutMs: number): Promise<void> {
    this.#roster.startClosing(stop);
    for (const peer of this.#roster.connected) this.#server.send(peer, 'stop', stop);
    await this.#waits.untilAtEnd(() => this.members.length === 0, timeoutMs);
    this.#watch.cancel();
    await this.#server.close();
  }

  #receive(peer: string, message: Message): void {
    const member = this.#roster.hear(peer, message, this.clock.now());
    if (member !== null) this.#take(member, message);
    this.#waits.notify();
  }

  #take(member: Member, message: Message): void {
    switch (message.name) {
      case 'stateRequest':
        this.#server.send(member.peer, 'stateChunk', answerStateRequest(message.body, this.#options.offer));
        return;
      case 'stateChunk':
        this.#pull.accept(member.worker, message.body);
        return;
      case 'updateDone':
        this.#history.noteUpdate(message.body);
        this.#options.onUpdate(member.worker, message.body);
        break;
      default:
    }
    this.#inbox.keep(member.worker, message);
  }

  #lookAround(): void {
    try {
      this.#roster.findSilent(this.clock.now());
    } catch (error) {
      this.#waits.fail(coded('INTERNAL', { reason: reasonOf(error) }));
    }
    // Some conditions, such as a signal, change without a message, so they are checked here.
    this.#waits.notify();
  }
}
