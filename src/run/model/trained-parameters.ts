/**
 * The parameters that a run trains: all, or those that are not frozen. Frozen ones come first in the layout, so what is
 * trained lies together at the end of every array of weights. Pure.
 */
import type { ParameterLayout, ParameterSlot } from './parameter-layout.js';

export interface FrozenParts {
  /** Tokens, positions and patches. */
  readonly embedding: boolean;
  /** The first blocks. */
  readonly blocks: number;
  /** The last LayerNorm: everything but the head is frozen. */
  readonly norm: boolean;
}

/** @param freeze null, `embeddings`, `backbone`, or a number of blocks, with which the embeddings are frozen too */
export function frozenParts(freeze: string | null, layers: number): FrozenParts {
  if (freeze === null) return { embedding: false, blocks: 0, norm: false };
  if (freeze === 'backbone') return { embedding: true, blocks: layers, norm: true };
  return { embedding: true, blocks: freeze === 'embeddings' ? 0 : Number(freeze), norm: false };
}

/** Why `freeze` cannot be asked for; null if it can. */
export function freezeProblem(freeze: string | null, layers: number): string | null {
  if (freeze === null || freeze === 'embeddings' || freeze === 'backbone') return null;
  if (!/^[1-9]\d*$/.test(freeze)) return 'not what can be frozen';
  return Number(freeze) > layers ? `the model has ${layers} blocks` : null;
}

const BLOCK = /^blocks\.(\d+)\./;

/** The block of a parameter; null for one outside. */
export function blockOf({ name }: Pick<ParameterSlot, 'name'>): number | null {
  const number = BLOCK.exec(name)?.[1];
  return number === undefined ? null : Number(number);
}

/** Whether a parameter belongs to the head, pre-logits included. */
export function isOfHead({ name }: Pick<ParameterSlot, 'name'>): boolean {
  return /^(pre_logits|head|head_dist)\./.test(name);
}

/** Whether a parameter comes after the last block. */
export function isLastNorm({ name }: Pick<ParameterSlot, 'name'>): boolean {
  return /^(fc_)?norm\./.test(name);
}

/**
 * The slots of `layout` that are trained, with offsets among themselves. They are the last `length` elements of the whole
 * layout.
 */
export function trainedLayout(layout: ParameterLayout, freeze: string | null): ParameterLayout {
  if (freeze === null) return layout;
  const blocks = layout.slots.reduce((most, slot) => Math.max(most, (blockOf(slot) ?? -1) + 1), 0);
  const frozen = frozenParts(freeze, blocks);
  const first = layout.slots.findIndex((slot) => {
    if (isOfHead(slot)) return true;
    if (isLastNorm(slot)) return !frozen.norm;
    const block = blockOf(slot);
    return block === null ? !frozen.embedding : block >= frozen.blocks;
  });
  const start = layout.slots[first]!.offset;
  const slots = layout.slots.slice(first).map((slot) => ({ ...slot, offset: slot.offset - start }));
  return { slots, length: layout.length - start };
}
