/** Lets several owners share one buffer. */
import { tf } from './tfjs.js';

/**
 * Another tensor on the buffer of `tensor`, which lives until both are disposed. It is made by a reshape, because clone()
 * copies on the wasm backend.
 */
export function sameBuffer<T extends tf.Tensor>(tensor: T): T {
  return tf.reshape(tensor, tensor.shape) as T;
}
