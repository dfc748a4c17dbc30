/**
 * Digests of this worker's state. Audits and joiners ask for the same ones, so each part is read only once a
 * step.
 */
import type { Clock } from '../../host/clock.js';
import { piecewiseDigest } from '../../run/checkpoint/piecewise-digest.js';

/**
 * The bytes of a part of the state after `step` steps; undefined if this worker does not hold that state now.
 */
export type Offer = (part: string, step: number) => Uint8Array | undefined;

export class PartDigests {
  readonly #clock: Clock;
  readonly #offer: Offer;
  /** The digests of one step, including those that are still being computed. */
  #known: { readonly step: number; readonly byPart: Map<string, Promise<Uint8Array>> } | null = null;

  constructor(clock: Clock, offer: Offer) {
    this.#clock = clock;
    this.#offer = offer;
  }

  /** SHA-256 of a part; undefined if this worker does not hold that step's state until the part is read. */
  async of(part: string, step: number): Promise<Uint8Array | undefined> {
    const bytes = this.#offer(part, step);
    if (bytes === undefined) return undefined;
    if (this.#known?.step !== step) this.#known = { step, byPart: new Map() };
    const { byPart } = this.#known;
    const digest = byPart.get(part) ?? piecewiseDigest(this.#clock, bytes);
    byPart.set(part, digest);
    const sha256 = await digest;
    return this.#offer(part, step) === undefined ? undefined : sha256;
  }

  /** Forgets all digests: the state may change without a new step. */
  forget(): void {
    this.#known = null;
  }
}
