/** Whether tensors of a file can be laid out as a parameter of ours without mixing up its axes. */
import type { FileTensors, SlotSource } from './slot-source.js';

/** Whether neighbouring axes of `shape` can be joined to give `target`. Axes of one element do not count. */
function joins(shape: readonly number[], target: readonly number[]): boolean {
  const sides = shape.filter((side) => side !== 1);
  let at = 0;
  for (const wanted of target.filter((side) => side !== 1)) {
    let product = 1;
    while (product < wanted && at < sides.length) product *= sides[at++]!;
    if (product !== wanted) return false;
  }
  return at === sides.length;
}

/** What does not fit; null if all does. */
export function fits(
  { tensors, axes }: SlotSource,
  file: FileTensors,
  target: readonly number[],
): string | null {
  const part = target.map((side, axis) => (axis === 0 && tensors.length > 1 ? side / tensors.length : side));
  for (const name of tensors) {
    const shape = file.get(name)?.shape ?? [];
    const sorted = axes === undefined ? shape : axes.map((axis) => shape[axis] ?? 0);
    if ((axes !== undefined && axes.length !== shape.length) || !joins(sorted, part)) {
      return `${name} is [${shape.join(', ')}]`;
    }
  }
  return null;
}
