/**
 * Connections that belong to no member: from before a restart, of workers that were removed, or of unknown
 * programs.
 */
import type { Body } from '../../wire/codec.js';

/** A connection is asked who it is this often at most. */
const ASK_AGAIN_MS = 1000;
/** Connections that come and go without a hello are forgotten beyond this number. */
const MOST_UNKNOWN_PEERS = 10_000;

interface UnknownPeer {
  readonly askedAtMs: number;
  /** Why it is not a member. */
  readonly reason: string;
  readonly discardState: boolean;
}

export class UnknownPeers {
  readonly #unknownPeers = new Map<string, UnknownPeer>();
  readonly #ask: (peer: string, question: Body<'whoAreYou'>) => void;

  /** @param ask sends the question who a connection is */
  constructor(ask: (peer: string, question: Body<'whoAreYou'>) => void) {
    this.#ask = ask;
  }

  get peers(): readonly string[] {
    return [...this.#unknownPeers.keys()];
  }

  /**
   * Notes that a worker was removed without being told. As soon as it says something, it is asked who it is.
   */
  note(peer: string, reason: string): void {
    this.#unknownPeers.set(peer, { askedAtMs: -ASK_AGAIN_MS, reason, discardState: false });
  }

  /** Tells a worker that it was removed. */
  tell(peer: string, reason: string, discardState: boolean, nowMs: number): void {
    this.#unknownPeers.set(peer, { askedAtMs: nowMs, reason, discardState });
    this.#ask(peer, { reason, discardState });
  }

  /** A peer sent a message that only members send. */
  heard(peer: string, nowMs: number): void {
    const before = this.#unknownPeers.get(peer);
    if (before !== undefined && nowMs - before.askedAtMs < ASK_AGAIN_MS) return;
    if (this.#unknownPeers.size >= MOST_UNKNOWN_PEERS) this.#unknownPeers.clear();
    const reason = before?.reason ?? 'this connection is new to the coordinator';
    this.tell(peer, reason, before?.discardState ?? false, nowMs);
  }

  /** It is a member now. */
  forget(peer: string): void {
    this.#unknownPeers.delete(peer);
  }
}
