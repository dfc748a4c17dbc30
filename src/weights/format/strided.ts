/** Gathers the elements of a tensor that does not lie in the order of its axes. */

/** Steps between neighbours along each axis if the last axis varies fastest. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/** Elements from the first to the last one that the strides reach; 0 for an empty tensor. */
export function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, side, axis) => span + (side - 1) * strides[axis]!, 1);
}

/** Whether the elements lie one after the other in the order of the axes. Axes of one element do not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = stridesOf(shape);
  return shape.includes(0) || shape.every((side, axis) => side === 1 || strides[axis] === expected[axis]);
}

/** The elements in the order of the axes, the last one fastest. */
export function gathered(
  from: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
): Float32Array {
  const out = new Float32Array(shape.reduce((product, side) => product * side, 1));
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = from[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      at -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
