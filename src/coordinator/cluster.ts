/** The workers of a run as the trainer sees them: assemble, tell, gather, pull. They come and go. */
import { coded, reasonOf, VitrailError } from '../shared/errors.js';
import { Phase, type Body, type Message, type MessageName } from '../shared/protocol/codec.js';
import { faultPoint } from '../shared/fault-injection.js';
import { StatePull } from '../shared/protocol/state-pull.js';
import type { ClusterEvent } from './cluster-event.js';
import { ControlServer } from './control-server.js';
import { hangVerdict } from './hang-verdict.js';
import { Inbox } from './inbox.js';
import * as membership from './membership.js';
import type { Member } from './membership.js';
import { answerStateRequest } from './offer.js';
import { PhaseHistory } from './phase-history.js';
import { Roster, type CommonWelcome } from './roster.js';
import type { RunPosition } from './state-source.js';
import { Waiting } from './waiting.js';

export interface ClusterOptions {
  readonly listen: string;
  readonly maxWorkers: number;
  readonly minWorkers: number;
  /** The number that the next worker gets. */
  readonly firstWorker: number;
  readonly suspectAfterMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly welcome: CommonWelcome;
  readonly position: () => RunPosition;
  /** Why a worker that is ready cannot take part, or null. */
  readonly refuses: (ready: Body<'ready'>) => VitrailError | null;
  /** The bytes of a part of the state that workers may pull. */
  readonly offer: (part: string) => Uint8Array | undefined;
  readonly onEvent: (event: ClusterEvent) => void;
  readonly onUpdate: (worker: number, body: Body<'updateDone'>) => void;
}

/** How a wait for answers ended. */
export interface Gathered<N extends MessageName> {
  readonly answers: ReadonlyMap<number, Body<N>>;
  /** Workers that were waited for and are no members any more; the wait ends with the first. */
  readonly lost: readonly number[];
  /** `enough` has ended the wait. */
  readonly cut: boolean;
}

export interface GatherOptions<N extends MessageName> {
  readonly name: N;
  readonly step: number;
  readonly from: readonly number[];
  readonly matches: (body: Body<N>) => boolean;
  /** Longest time in which a worker that is waited for shows nothing new. */
  readonly timeoutMs: number;
  /** Asked again and again: true ends the wait early. */
  readonly enough?: () => boolean;
}

/** Looked around this often: for silence, signals, and all that nobody reports. */
const LOOK_AROUND_MS = 100;

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #roster: Roster;
  readonly #inbox = new Inbox();
  readonly #waiting = new Waiting();
  readonly #watch: NodeJS.Timeout;
  readonly history = new PhaseHistory();
  #server!: ControlServer;
  /** The first failure ends every wait, present and later. */
  #failure: VitrailError | null = null;
  #pull: { readonly worker: number; readonly pull: StatePull } | null = null;
  #numbers = 0;

  private constructor(options: ClusterOptions) {
    this.#options = options;
    const { heartbeatTimeoutMs: removeAfterMs, ...rest } = options;
    this.#roster = new Roster({
      ...rest,
      removeAfterMs,
      send: (peer, name, body) => this.#server.send(peer, name, body),
      onFatal: (error) => this.#fail(error),
    });
    this.#watch = setInterval(() => this.#lookAround(), LOOK_AROUND_MS);
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
        onDisconnect: () => cluster.#probe(),
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

  /** Numbers of the workers. */
  get workers(): readonly number[] {
    return this.members.map((m) => m.worker);
  }

  /** A number that no request of this cluster has had. */
  nextNumber(): number {
    return ++this.#numbers;
  }

  /** Those that can take part in a step. */
  get ready(): readonly Member[] {
    return membership.readyMembers(this.members);
  }

  /** Numbers of the workers that hold the state after `step` committed steps. */
  holders(step: number): readonly number[] {
    return membership.holders(this.members, step).map((m) => m.worker);
  }

  /** What has ended the run, if anything has. */
  get failed(): VitrailError | null {
    return this.#failure;
  }

  /** From now on workers may be lost. */
  start(): void {
    this.#roster.start();
  }

  /** Waits for `condition`, which is looked at again with every message and ten times a second. */
  async until(condition: () => boolean, timeoutMs: number): Promise<'met' | 'late'> {
    const end = await this.#waiting.until(() => this.#failure !== null || condition(), timeoutMs);
    if (this.#failure !== null) throw this.#failure;
    return end;
  }

  send<N extends MessageName>(worker: number, name: N, body: Body<N>): void {
    const member = this.#roster.member(worker);
    if (member !== undefined) this.#server.send(member.peer, name, body);
  }

  /**
   * Workers that hold the state after `step` steps: at least one. A worker whose connection broke comes back with its
   * state, so there is some patience.
   * @throws STATE_LOST
   */
  async someHolders(step: number): Promise<readonly number[]> {
    const holders = (): readonly number[] => this.holders(step);
    const end = await this.until(() => holders().length > 0, this.#options.heartbeatTimeoutMs);
    if (end === 'late') throw coded('STATE_LOST', { step });
    return holders();
  }

  /** A commit is about to be written down: nobody joins until `commit`. */
  beginCommit(): void {
    this.#roster.beginCommit();
  }

  /** Tells the workers of `ring` that `step` is committed. */
  commit(ring: readonly number[], body: Body<'commit'>): void {
    for (const [i, worker] of ring.entries()) {
      if (i === 1) faultPoint('mid-commit', body.step);
      this.send(worker, 'commit', body);
    }
    this.#roster.committed(ring, body.step);
  }

  /**
   * Waits for a matching answer from every worker of `from`, for the first of them that is lost, or for `enough`.
   * A worker that is waited for and shows nothing new for `timeoutMs` is expelled with a verdict.
   * @throws STEP_TIMEOUT where that leaves nobody, or what has ended the run
   */
  async gather<N extends MessageName>(options: GatherOptions<N>): Promise<Gathered<N>> {
    const { name, step, from, matches, timeoutMs, enough } = options;
    this.#roster.atStep(step);
    const startMs = performance.now();
    let cut = false;
    const answers = (): ReadonlyMap<number, Body<N>> => {
      const all = this.#inbox.matching(name, matches);
      return new Map([...all].filter(([worker]) => from.includes(worker)));
    };
    const lost = (): number[] => from.filter((worker) => this.#roster.member(worker) === undefined);
    const missing = (): readonly Member[] => {
      const present = answers();
      return this.members.filter((m) => from.includes(m.worker) && !present.has(m.worker));
    };
    const met = (): boolean => {
      const waitedFor = missing();
      if (waitedFor.length === 0 || lost().length > 0) return true;
      this.#expelHung(waitedFor, step, startMs, timeoutMs);
      cut = enough?.() === true;
      return cut || lost().length > 0;
    };
    // The condition itself ends the wait: a worker either answers, is lost, or shows something new.
    while ((await this.until(met, timeoutMs)) === 'late');
    return { answers: answers(), lost: lost(), cut };
  }

  /** The bytes of `part` of the state after `step` steps, from a worker. @throws WORKER_LOST */
  async pull(worker: number, part: string, step: number): Promise<Uint8Array> {
    if (this.#failure !== null) throw this.#failure;
    const pull = new StatePull(this.nextNumber(), part, (piece) =>
      this.send(worker, 'stateRequest', { ...piece, step, runToken: '' }),
    );
    this.#pull = { worker, pull };
    try {
      if (this.#roster.member(worker) === undefined) throw new Error('it is no member any more');
      return await pull.run();
    } catch (error) {
      if (error instanceof VitrailError) throw error;
      const reason = reasonOf(error);
      throw coded('WORKER_LOST', { worker, step, phase: 'state transfer', reason });
    } finally {
      this.#pull = null;
    }
  }

  /** Takes a worker out that does harm; it is told so and may come back, with nothing. */
  expel(worker: number, text: string): void {
    this.#roster.expel(worker, 'expelled', text, true);
    this.#waiting.notify();
  }

  /** Takes a worker out that others cannot reach, without doubt about its state. */
  cutOff(worker: number, text: string): void {
    this.#roster.cutOff(worker, text);
    this.#waiting.notify();
  }

  /** Lets a worker go that has asked for it. */
  dismiss(worker: number): void {
    this.#roster.dismiss(worker);
  }

  /** Asks all workers to join again: the run goes back to another state. */
  disband(reason: string): void {
    this.#roster.disband(reason);
  }

  note(event: ClusterEvent): void {
    this.#options.onEvent(event);
  }

  /**
   * Tells the cluster that a process which was to be a worker has ended: whoever started it knows at once.
   * @param left others that run or will
   * @returns whether another is of use
   */
  processEnded(pid: number, reason: string, left: number): boolean {
    const running = this.#roster.processEnded(pid, reason, left);
    this.#checkPull();
    this.#waiting.notify();
    return running && this.#failure === null;
  }

  /** Tells all workers to stop, waits for their goodbyes for at most `timeoutMs`, closes. */
  async close(stop: Body<'stop'>, timeoutMs: number): Promise<void> {
    this.#roster.startClosing(stop);
    for (const peer of this.#roster.connected) this.#server.send(peer, 'stop', stop);
    await this.#waiting.until(() => this.members.length === 0, timeoutMs);
    clearInterval(this.#watch);
    await this.#server.close();
  }

  #receive(peer: string, message: Message): void {
    const member = this.#roster.hear(peer, message, performance.now());
    if (member !== null) this.#take(member, message);
    this.#checkPull();
    this.#waiting.notify();
  }

  #take(member: Member, message: Message): void {
    switch (message.name) {
      case 'stateRequest':
        this.#server.send(member.peer, 'stateChunk', answerStateRequest(message.body, this.#options.offer));
        return;
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

  #lose(peer: string, reason: string): void {
    this.#roster.lose(peer, reason);
    this.#checkPull();
    this.#waiting.notify();
  }

  /** A connection was closed: a message to every member shows whose. */
  #probe(): void {
    for (const { peer } of this.members) this.#server.send(peer, 'heartbeatReply', { sequence: 0 });
  }

  #expelHung(waitedFor: readonly Member[], step: number, startMs: number, timeoutMs: number): void {
    const nowMs = performance.now();
    // In the ring one waits for the others: whoever keeps them waiting is not there yet. (All there: `enough`.)
    const stuck = waitedFor.filter(
      (m) => !membership.inRing(m, step) && nowMs - Math.max(m.movedAtMs, startMs) > timeoutMs,
    );
    if (stuck.length === 0) return;
    const verdicts = stuck.map((m) => ({
      worker: m.worker,
      text: hangVerdict(m, step, nowMs, this.history.usual(m.heartbeat?.phase ?? Phase.PHASE_IDLE)),
    }));
    if (stuck.length === this.ready.length) {
      for (const { worker, text } of verdicts) this.note({ kind: 'hung', worker, text });
      this.#fail(coded('STEP_TIMEOUT', { step, timeoutMs, waiting: membership.describe(stuck) }));
      return;
    }
    for (const { worker, text } of verdicts) this.#roster.expel(worker, 'hung', text, false);
  }

  #lookAround(): void {
    this.#roster.findSilent(performance.now());
    this.#checkPull();
    // Conditions that nobody reports, a signal for one, are looked at here.
    this.#waiting.notify();
  }

  /** A state transfer ends with its giver. */
  #checkPull(): void {
    const pull = this.#pull;
    if (pull !== null && this.#roster.member(pull.worker) === undefined)
      pull.pull.fail(new Error('it is gone'));
  }

  #fail(error: VitrailError): void {
    this.#failure ??= error;
    this.#pull?.pull.fail(this.#failure);
    this.#waiting.notify();
  }
}
