/** Carries weights over to another image size and other classes, as fine-tuning does (Table 4 of arXiv 2010.11929). */
import { coded } from '../../errors/errors.js';
import { patchCount, positionCount, type ModelSpec } from './model-spec.js';
import { parameterLayout } from './parameter-layout.js';
import { resampleGrid, type PositionInterpolation } from './position-interpolation.js';

/** Fields of two models that must be equal if the encoder's weights of one are to work in the other. */
const FIXED = [
  'layers',
  'hidden',
  'mlp',
  'heads',
  'patch',
  'gelu',
  'lastNorm',
  'registers',
  'distillation',
  'layerNormEpsilon',
  'qkvBias',
  'positions',
] as const;

export interface Adaptation {
  /** Whether a head for as many classes, of the same features, is taken over. */
  readonly keepHead: boolean;
  readonly positions: PositionInterpolation;
}

function side(spec: ModelSpec): number {
  return Math.sqrt(patchCount(spec));
}

const REPLACED_HEAD: Adaptation = { keepHead: false, positions: 'bilinear' };

/** Whether the head of `from` computes the same logits in `to`. */
function headFits(from: ModelSpec, to: ModelSpec): boolean {
  return from.classes === to.classes && from.pooling === to.pooling && from.preLogits === to.preLogits;
}

/** Slots of the heads, and of the layer before them. */
const OF_HEAD = /^(?:head|head_dist|pre_logits\.fc)\./;

/**
 * Weights for `to`, made from the flat weights of `from`: encoder and embeddings are kept, position embeddings
 * resampled in 2-D to the new grid (those of the tokens before the patches as they are). A head that is not kept is
 * replaced by zeros, and its pre-logits are dropped.
 * @param path where `flat` comes from, for messages
 * @throws CHECKPOINT_OTHER_MODEL when the encoders differ, or `to` has pre-logits and the head is not kept
 */
export function adaptWeights(
  from: ModelSpec,
  flat: Float32Array,
  to: ModelSpec,
  path = from.name,
  { keepHead, positions }: Adaptation = REPLACED_HEAD,
): Float32Array {
  const keepsHead = keepHead && headFits(from, to);
  const differing = FIXED.filter((key) => from[key] !== to[key]).map(
    (key) => `${key} ${from[key]} instead of ${to[key]}`,
  );
  // Factors are carried over, whatever they began with.
  if (from.layerScale > 0 !== to.layerScale > 0) {
    differing.push(`layerScale ${from.layerScale} instead of ${to.layerScale}`);
  }
  if (differing.length > 0 || (to.preLogits > 0 && !keepsHead)) {
    const difference =
      differing.length > 0
        ? differing.join(', ')
        : 'fine-tuning replaces the whole head, so it takes no pre-logits';
    throw coded('CHECKPOINT_OTHER_MODEL', { path, difference });
  }
  const source = parameterLayout(from);
  if (flat.length !== source.length) {
    const reason = `${flat.length} weights for a model of ${source.length} parameters`;
    throw coded('INTERNAL', { reason });
  }
  const byName = new Map(source.slots.map((slot) => [slot.name, slot]));
  const target = parameterLayout(to);
  const out = new Float32Array(target.length);
  for (const slot of target.slots) {
    if (!keepsHead && OF_HEAD.test(slot.name)) continue;
    const { offset, length } = byName.get(slot.name)!;
    const values = flat.subarray(offset, offset + length);
    if (slot.name === 'pos_embed') {
      const width = to.hidden;
      // The tokens before the patches have no place in the grid.
      const before = (positionCount(to) - patchCount(to)) * width;
      out.set(values.subarray(0, before), slot.offset);
      const grid = values.subarray(before);
      out.set(resampleGrid(grid, side(from), side(to), width, positions), slot.offset + before);
    } else {
      out.set(values, slot.offset);
    }
  }
  return out;
}
