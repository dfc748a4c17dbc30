/** Strides of tensors in row-major order. */

/** Elements from one index to the next, for every dimension. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d]!;
  }
  return strides;
}

/** The position of the element with an index. */
export function offsetOf(index: readonly number[], strides: readonly number[]): number {
  return index.reduce((offset, at, d) => offset + at * strides[d]!, 0);
}
