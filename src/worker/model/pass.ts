/** What one pass of a micro-batch through the network carries along. */
import type { DropoutKey } from '../engine/dropout-mask.js';
import type { Tape } from '../engine/tape.js';
import type { VitParts } from './vit-parts.js';

export interface Pass {
  /** How the active backend computes the parts of the network. */
  readonly parts: VitParts;
  /** Undefined outside training: nothing is recorded, and activations are freed at once. */
  readonly tape: Tape | undefined;
  /** B, the samples of the micro-batch. */
  readonly images: number;
  /** Undefined outside training. */
  readonly dropout: DropoutKey | undefined;
}
