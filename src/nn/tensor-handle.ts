/** Several owners of one buffer. */
import { tf } from './tfjs.js';

/**
 * Another tensor on the buffer of `tensor`, which lives until both are disposed. A reshape, because the wasm backend
 * copies on clone().
 */
export function sameBuffer<T extends tf.Tensor>(tensor: T): T {
  return tf.reshape(tensor, tensor.shape) as T;
}
