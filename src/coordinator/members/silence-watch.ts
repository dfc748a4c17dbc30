/** Finds members that are silent, each time it is asked; the time is passed in. */
import * as membership from './membership.js';
import type { Member, Silence } from './membership.js';

export interface SilenceLimits {
  readonly suspectAfterMs: number;
  readonly heartbeatTimeoutMs: number;
}

/** After a gap this long between two looks, this process itself must have been suspended. */
const AWAY_MS = 500;

export class SilenceWatch {
  readonly #limits: SilenceLimits;
  #lookedAtMs: number;

  constructor(limits: SilenceLimits, nowMs: number) {
    this.#limits = limits;
    this.#lookedAtMs = nowMs;
  }

  /**
   * Finds the members that are newly suspected and those that are lost; none is both. The result's `members`
   * still has the lost ones.
   */
  look(members: readonly Member[], nowMs: number): Silence {
    const awayMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    // This process was suspended, not the workers.
    const heard = awayMs > AWAY_MS ? membership.excused(members, awayMs) : members;
    const { suspectAfterMs, heartbeatTimeoutMs } = this.#limits;
    const silence = membership.findSilent(heard, nowMs, suspectAfterMs, heartbeatTimeoutMs);
    const gone = new Set(silence.lost.map(({ member }) => member.peer));
    return { ...silence, suspected: silence.suspected.filter(({ peer }) => !gone.has(peer)) };
  }
}
