/** Attention and its gradient of one shape, as the tests call the kernels. */
import { STORAGE, type Storage } from '../../src/kernels/kernel-api/memory.js';
import type { Shape } from './attention-reference.js';
import { normals, roundedToBf16, type KernelDevice } from './kernel-device.js';

export interface Case extends Shape {
  readonly storage?: Storage;
  readonly bf16?: boolean;
}

/** About normal, rounded as the kernels round them. */
export function operands(c: Case) {
  const rounds = c.bf16 === true || c.storage === STORAGE.bf16;
  const random = (count: number, seed: number): Float32Array =>
    rounds ? roundedToBf16(normals(count, seed)) : normals(count, seed);
  const length = c.images * c.tokens * c.heads * c.width;
  return { length, qkv: random(3 * length, c.tokens), dOut: random(length, c.width) };
}

/** @param c.storage of all but logSumExp */
export function run(device: KernelDevice, c: Case, qkvValues: Float32Array, dOutValues: Float32Array) {
  const { images, tokens, heads, width, storage } = c;
  const shape = { images, tokens, heads, width, ...(c.bf16 === undefined ? {} : { bf16: c.bf16 }) };
  const statistics = images * heads * tokens;
  const qkv = device.hold(qkvValues, storage);
  const out = device.space(dOutValues.length, storage);
  const logSumExp = device.space(statistics);
  const dQkv = device.space(qkvValues.length, storage);
  device.kernels.attentionForward({ ...shape, qkv, out, logSumExp });
  const dOut = device.hold(dOutValues, storage);
  device.kernels.attentionBackward({ ...shape, qkv, out, logSumExp, dOut, dQkv });
  return {
    out: device.read(out, dOutValues.length),
    logSumExp: device.read(logSumExp, statistics),
    dQkv: device.read(dQkv, qkvValues.length),
  };
}
