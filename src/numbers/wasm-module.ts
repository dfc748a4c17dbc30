/** A small WebAssembly assembler: enough of the binary format for loops over vectors in one memory. */

/** Opcodes by their names in the WebAssembly specification, 5.4 "Instructions". */
export const op = {
  loop: [0x03, 0x40],
  end: [0x0b],
  brIf: (label: number) => [0x0d, ...unsigned(label)],
  localGet: (index: number) => [0x20, ...unsigned(index)],
  localSet: (index: number) => [0x21, ...unsigned(index)],
  localTee: (index: number) => [0x22, ...unsigned(index)],
  i32Const: (value: number) => [0x41, ...signed(value)],
  select: [0x1b],
  i32LtU: [0x49],
  i32Add: [0x6a],
  i32Mul: [0x6c],
  v128Zero: [0xfd, ...unsigned(0x0c), ...Array.from({ length: 16 }, () => 0)],
  /** Copies a 32-bit word into all four lanes. */
  v128Load32Splat: (offset: number) => [0xfd, ...unsigned(0x09), ALIGN_4, ...unsigned(offset)],
  v128Load: (offset: number) => [0xfd, ...unsigned(0x00), ALIGN_16, ...unsigned(offset)],
  v128Store: (offset: number) => [0xfd, ...unsigned(0x0b), ALIGN_16, ...unsigned(offset)],
  /** Picks four of the eight 32-bit lanes of the two operands. */
  i32x4Shuffle: (lanes: readonly [number, number, number, number]) => [
    ...[0xfd, ...unsigned(0x0d)],
    ...lanes.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]),
  ],
  i32x4GeS: [0xfd, ...unsigned(0x3f)],
  v128And: [0xfd, ...unsigned(0x4e)],
  v128Xor: [0xfd, ...unsigned(0x51)],
  i32x4ExtendLowI16x8U: [0xfd, ...unsigned(0xa9)],
  i32x4ExtendHighI16x8U: [0xfd, ...unsigned(0xaa)],
  i32x4Add: [0xfd, ...unsigned(0xae)],
  i64x2ExtmulLowI32x4U: [0xfd, ...unsigned(0xde)],
  i64x2ExtmulHighI32x4U: [0xfd, ...unsigned(0xdf)],
  f32x4Add: [0xfd, ...unsigned(0xe4)],
  f32x4Mul: [0xfd, ...unsigned(0xe6)],
} as const;

/** log2 of the alignment hint. */
const ALIGN_4 = 2;
const ALIGN_16 = 4;
const I32 = 0x7f;
const V128 = 0x7b;

/** LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -64 || rest >= 64; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): number[] {
  return [...unsigned(text.length), ...Array.from(text, (c) => c.charCodeAt(0))];
}

/** A function (i32) -> (): local 0 is the argument, then come `integers` i32 (1 if not given) and `vectors` v128. */
export interface WasmFunction {
  readonly name: string;
  readonly integers?: number;
  readonly vectors: number;
  readonly body: readonly number[];
}

/** The binary of a module that exports `functions` and its own memory of `pages` x 64 KiB as "memory". */
export function assemble(pages: number, functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const type = [0x60, ...vector([[I32]]), ...vector([])];
  const exports = functions.map((f, index) => [...name(f.name), 0x00, ...unsigned(index)]);
  const code = functions.map((f) => {
    const locals = vector([
      [...unsigned(f.integers ?? 1), I32],
      [...unsigned(f.vectors), V128],
    ]);
    const body = [...locals, ...f.body, ...op.end];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
    ...section(1, vector([type])),
    ...section(3, vector(functions.map(() => [0]))),
    ...section(5, vector([[0x01, ...unsigned(pages), ...unsigned(pages)]])),
    ...section(7, vector([[...name('memory'), 0x02, 0x00], ...exports])),
    ...section(10, vector(code)),
  ]);
}
