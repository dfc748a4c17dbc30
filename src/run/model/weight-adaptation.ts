/** Carries weights over to another image size and other classes, as fine-tuning does (Table 4 of arXiv 2010.11929). */
import { coded } from '../../errors/errors.js';
import { patchCount, positionCount, type ModelSpec } from './model-spec.js';
import { parameterLayout } from './parameter-layout.js';

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

/**
 * A square grid [side, side, width] resampled to [newSide, newSide, width]: bilinear with corner points aligned,
 * as scipy.ndimage.zoom of order 1, which vit_jax uses.
 */
export function resampleGrid(grid: Float32Array, side: number, newSide: number, width: number): Float32Array {
  const out = new Float32Array(newSide * newSide * width);
  const step = newSide === 1 ? 0 : (side - 1) / (newSide - 1);
  for (let row = 0; row < newSide; row++) {
    const y = Math.min(Math.floor(row * step), Math.max(0, side - 2));
    const yNext = Math.min(y + 1, side - 1);
    const dy = row * step - y;
    for (let column = 0; column < newSide; column++) {
      const x = Math.min(Math.floor(column * step), Math.max(0, side - 2));
      const xNext = Math.min(x + 1, side - 1);
      const dx = column * step - x;
      for (let i = 0; i < width; i++) {
        const top = (1 - dx) * grid[(y * side + x) * width + i]! + dx * grid[(y * side + xNext) * width + i]!;
        const bottom =
          (1 - dx) * grid[(yNext * side + x) * width + i]! + dx * grid[(yNext * side + xNext) * width + i]!;
        out[(row * newSide + column) * width + i] = (1 - dy) * top + dy * bottom;
      }
    }
  }
  return out;
}

function side(spec: ModelSpec): number {
  return Math.sqrt(patchCount(spec));
}

/**
 * Weights for `to`, made from the flat weights of `from`: encoder and embeddings are kept, position embeddings
 * resampled in 2-D to the new grid (those of the tokens before the patches as they are), pre-logits dropped, and the head replaced by zeros.
 * @param path where `flat` comes from, for messages
 * @throws CHECKPOINT_OTHER_MODEL when the encoders differ or `to` has pre-logits
 */
export function adaptWeights(
  from: ModelSpec,
  flat: Float32Array,
  to: ModelSpec,
  path = from.name,
): Float32Array {
  const differing = FIXED.filter((key) => from[key] !== to[key]).map(
    (key) => `${key} ${from[key]} instead of ${to[key]}`,
  );
  // Factors are carried over, whatever they began with.
  if (from.layerScale > 0 !== to.layerScale > 0) {
    differing.push(`layerScale ${from.layerScale} instead of ${to.layerScale}`);
  }
  if (differing.length > 0 || to.preLogits > 0) {
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
    if (/^head(_dist)?\./.test(slot.name)) continue;
    const { offset, length } = byName.get(slot.name)!;
    const values = flat.subarray(offset, offset + length);
    if (slot.name === 'pos_embed') {
      const width = to.hidden;
      // The tokens before the patches have no place in the grid.
      const before = (positionCount(to) - patchCount(to)) * width;
      out.set(values.subarray(0, before), slot.offset);
      out.set(resampleGrid(values.subarray(before), side(from), side(to), width), slot.offset + before);
    } else {
      out.set(values, slot.offset);
    }
  }
  return out;
}
