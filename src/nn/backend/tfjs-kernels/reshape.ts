/** Kernels that give the same data another shape. */
import { tf } from '../../tfjs.js';
import { alias, kernel } from './kernel.js';

export const RESHAPE_KERNELS: readonly tf.KernelConfig[] = [
  kernel<'x'>(tf.Identity, (backend, { x }) => alias(backend, x, x.shape)),
  kernel<'x', tf.ReshapeAttrs>(tf.Reshape, (backend, { x }, { shape }) => {
    const size = tf.util.sizeFromShape(x.shape);
    const inferred = tf.util.inferFromImplicitShape(shape, size);
    if (tf.util.sizeFromShape(inferred) !== size) {
      throw new Error(`a tensor of ${size} elements cannot have the shape [${inferred.join(', ')}]`);
    }
    return alias(backend, x, inferred);
  }),
  kernel<'input', tf.ExpandDimsAttrs>(tf.ExpandDims, (backend, { input }, { dim }) => {
    const at = dim < 0 ? input.shape.length + dim + 1 : dim;
    return alias(backend, input, input.shape.toSpliced(at, 0, 1));
  }),
];
