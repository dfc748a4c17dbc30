/** How one parameter of ours is made from tensors of a file. */

export interface SlotSource {
  /** Laid one after the other along the first axis. */
  readonly tensors: readonly string[];
  /** The file's axes in the order of ours; without it they are in order. */
  readonly axes?: readonly number[];
  /** Only these rows (of the slot's last axis' width), from the first to before the second. */
  readonly rows?: readonly [from: number, to: number];
  /** What is added to it. */
  readonly plus?: SlotSource;
}

/** Names and shapes of a file. */
export type FileTensors = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** The names of a library: our name of a parameter to what it is made from; null if the library has no such thing. */
export type Dialect = (slot: string) => SlotSource | null;

export function plain(...tensors: readonly string[]): SlotSource {
  return { tensors };
}

/** All file tensors that a source reads. */
export function tensorsOf({ tensors, plus }: SlotSource): string[] {
  return plus === undefined ? [...tensors] : [...tensors, ...tensorsOf(plus)];
}

/** A slot's name in a block: its number, and the rest of the name. */
export function partsOfBlock(slot: string): { readonly block: string; readonly part: string } | null {
  const match = /^blocks\.(\d+)\.(.+)$/.exec(slot);
  return match === null ? null : { block: match[1]!, part: match[2]! };
}

/** Splits `head.weight` into `head` and `weight`. */
export function splitName(name: string): readonly [layer: string, kind: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, dot), name.slice(dot + 1)];
}
