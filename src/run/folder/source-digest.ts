/** The digest of the weights that a run starts from, which is part of its identity. */
import { piecewiseDigest } from '../checkpoint/piecewise-digest.js';
import { textDigest } from '../checkpoint/file-digest.js';
import { littleEndianBytes } from '../checkpoint/little-endian.js';
import type { Clock } from '../../host/clock.js';
import type { ModelSpec } from '../model/model-spec.js';
import { parameterLayout } from '../model/parameter-layout.js';

/**
 * SHA-256, in hex, over all that a run takes from other weights. It does not depend on the format of their files, so the
 * same model gives the same digest as safetensors and as a state dict. What a file may have besides does not count.
 * The text that is digested is JSON: names of the classes, pooling, name and shape of every parameter in layout order, and
 * the digest of the values, as `weightDigest` has it.
 * @param classes in the order of the logits
 * @param weights flat, in layout order
 */
export async function sourceDigest(
  clock: Clock,
  spec: ModelSpec,
  classes: readonly string[],
  weights: Float32Array,
): Promise<string> {
  const values = Buffer.from(await piecewiseDigest(clock, littleEndianBytes(weights))).toString('hex');
  const parameters = parameterLayout(spec).slots.map(({ name, shape }) => [name, shape]);
  return textDigest(JSON.stringify({ classes, pooling: spec.pooling, parameters, values })).sha256;
}
