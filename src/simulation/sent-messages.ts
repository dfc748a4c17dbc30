/** Every message passes here before it leaves: the verdicts see it, a coordinator may die of it, a liar changes it. */
import type { Body, MessageName } from '../wire/codec.js';
import { RESTART_MS } from './happenings.js';
import type { Fault } from './history.js';
import type { RunningWorker } from './running-worker.js';
import type { NetworkWatcher } from './simulated-network.js';
import type { SimulatedProcess } from './simulated-process.js';
import type { Verdicts } from './verdicts.js';

type KillAt = Extract<Fault, { kind: 'kill-at' }>;

/** The run whose messages these are. */
export interface Senders {
  isCoordinator(process: SimulatedProcess): boolean;
  /** All that were ever started. */
  readonly workers: readonly RunningWorker[];
  kill(process: SimulatedProcess, silent: boolean): void;
  /** Starts a coordinator. */
  startAgain(afterMs: number): void;
  tell(text: string): void;
}

export class SentMessages implements NetworkWatcher {
  readonly #verdicts: Verdicts;
  readonly #senders: Senders;
  /** How many messages of a name the coordinator still sends until it dies. */
  readonly #left = new Map<MessageName, number>();
  #killAt: KillAt | null = null;

  constructor(verdicts: Verdicts, senders: Senders) {
    this.#verdicts = verdicts;
    this.#senders = senders;
  }

  /** The coordinator dies as it sends a message of that name for the nth time. */
  killAt(fault: KillAt): void {
    this.#left.set(fault.message, fault.nth);
    this.#killAt = fault;
  }

  /** @returns the message that is sent in its place */
  onSend(from: SimulatedProcess, name: MessageName, body: unknown, peer: string): unknown {
    this.#judge(from, name, body, peer);
    if (this.#senders.isCoordinator(from) && from.alive) this.#count(from, name);
    return this.#lied(from, name, body);
  }

  #judge(from: SimulatedProcess, name: MessageName, body: unknown, peer: string): void {
    if (name === 'commit' && from.alive) this.#verdicts.commit(body as Body<'commit'>);
    if (name === 'welcome') this.#verdicts.welcomed(peer, body as Body<'welcome'>);
    if (name === 'stepPlan' && from.alive) this.#verdicts.planned(peer, body as Body<'stepPlan'>);
    if (name === 'ready') from.places++;
  }

  #count(from: SimulatedProcess, name: MessageName): void {
    const left = this.#left.get(name);
    if (left === undefined) return;
    this.#left.set(name, left - 1);
    if (left > 1) return;
    this.#left.delete(name);
    this.#senders.kill(from, this.#killAt?.silent === true);
    this.#senders.startAgain(this.#killAt?.backAfterMs ?? RESTART_MS);
  }

  #lied(from: SimulatedProcess, name: MessageName, body: unknown): unknown {
    const liar = this.#senders.workers.find(({ process, lie }) => process === from && lie);
    if (liar === undefined || name !== 'stepDone') return body;
    liar.lie = false;
    this.#senders.tell(`${from.name} lies about its digest`);
    const done = body as Body<'stepDone'>;
    return Object.assign({}, done, { digest: done.digest.map((byte) => byte ^ 255) });
  }
}
