/**
 * Reads a pickle as data: the opcodes that PyTorch's state dicts use, and no other. A pickle is a program for a
 * stack machine, which may import and call anything; here nothing is ever called. A global is only a name, and what
 * a call of it would give is described by `objects`, for the few names that it knows.
 * Opcodes: https://github.com/python/cpython/blob/main/Lib/pickletools.py.
 */
import { Damaged, PickleBytes } from './pickle-bytes.js';

/** A global: a class or function that the pickle names. */
export class Global {
  constructor(readonly name: string) {}
}

/** A dictionary. Keys are texts or numbers. */
export type Dictionary = Map<unknown, unknown>;

/** What the reader of a pickle has to know about globals. */
export interface PickleObjects {
  /** Whether a global may be named at all. */
  knows(name: string): boolean;
  /** What calling `name` would give; undefined if it may not be called, or not in this way. */
  called(name: string, args: readonly unknown[]): unknown;
  /** What an object of another file stands for; undefined if that is not known. */
  persistent(id: unknown): unknown;
}

export type PickleResult =
  | { readonly value: unknown }
  /** The name of a global or opcode that is not allowed. */
  | { readonly refused: string }
  | { readonly problem: string };

class Refused extends Error {}

const MARK = Symbol('mark');

class Machine {
  readonly #source: PickleBytes;
  readonly #objects: PickleObjects;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, objects: PickleObjects) {
    this.#source = new PickleBytes(bytes);
    this.#objects = objects;
  }

  /** Runs to the STOP opcode. */
  run(): unknown {
    for (;;) {
      const opcode = this.#source.uint8();
      if (opcode === 0x2e) return this.#pop();
      const act = OPCODES[opcode];
      if (act === undefined) throw new Refused(`opcode 0x${opcode.toString(16).padStart(2, '0')}`);
      act(this, this.#source);
    }
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw new Damaged('its pickle takes from an empty stack');
    return this.#stack.pop();
  }

  #popMany(count: number): unknown[] {
    if (this.#stack.length < count) throw new Damaged('its pickle takes from an empty stack');
    return this.#stack.splice(this.#stack.length - count, count);
  }

  #popToMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw new Damaged('its pickle has no mark');
    return this.#stack.splice(at).slice(1);
  }

  mark(): void {
    this.#stack.push(MARK);
  }

  tuple(count: number | null): void {
    this.push(count === null ? this.#popToMark() : this.#popMany(count));
  }

  store(index: number): void {
    this.#memo.set(index, this.#stack.at(-1));
  }

  memoize(): void {
    this.store(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw new Damaged(`its pickle recalls ${index}, which it never stored`);
    this.push(this.#memo.get(index));
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw new Refused('a global without a name');
    const full = `${module}.${name}`;
    if (!this.#objects.knows(full)) throw new Refused(full);
    this.push(new Global(full));
  }

  stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    this.global(module, name);
  }

  call(): void {
    const [callee, args] = this.#popMany(2);
    if (!(callee instanceof Global) || !Array.isArray(args)) {
      throw new Refused(`a call of something that is no function`);
    }
    const value = this.#objects.called(callee.name, args);
    if (value === undefined) throw new Refused(`a call of ${callee.name}`);
    this.push(value);
  }

  persistent(): void {
    const value = this.#objects.persistent(this.#pop());
    if (value === undefined) throw new Refused('an object in another place than its own storages');
    this.push(value);
  }

  /** Attributes of an ordered dictionary (PyTorch notes versions there) mean nothing here. */
  build(): void {
    this.#pop();
    if (!(this.#stack.at(-1) instanceof Map)) throw new Refused('an object with a state of its own');
  }

  setItems(count: number | null): void {
    const items = count === null ? this.#popToMark() : this.#popMany(count);
    const target = this.#stack.at(-1);
    if (!(target instanceof Map) || items.length % 2 !== 0)
      throw new Damaged('its pickle fills no dictionary');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  append(count: number | null): void {
    const items = count === null ? this.#popToMark() : this.#popMany(count);
    const target = this.#stack.at(-1);
    if (!Array.isArray(target)) throw new Damaged('its pickle fills no list');
    for (const item of items) target.push(item);
  }
}

type Act = (machine: Machine, source: PickleBytes) => void;

const OPCODES: Readonly<Record<number, Act>> = {
  0x80: (_, source) => source.skip(1), // PROTO
  0x95: (_, source) => source.skip(8), // FRAME
  0x28: (machine) => machine.mark(), // MARK
  0x4e: (machine) => machine.push(null), // NONE
  0x88: (machine) => machine.push(true), // NEWTRUE
  0x89: (machine) => machine.push(false), // NEWFALSE
  0x4a: (machine, source) => machine.push(source.int32()), // BININT
  0x4b: (machine, source) => machine.push(source.uint8()), // BININT1
  0x4d: (machine, source) => machine.push(source.uint16()), // BININT2
  0x8a: (machine, source) => machine.push(source.long(source.uint8())), // LONG1
  0x47: (machine, source) => machine.push(source.float64()), // BINFLOAT
  0x55: (machine, source) => machine.push(source.text(source.uint8())), // SHORT_BINSTRING
  0x54: (machine, source) => machine.push(source.text(source.uint32())), // BINSTRING
  0x58: (machine, source) => machine.push(source.text(source.uint32())), // BINUNICODE
  0x8c: (machine, source) => machine.push(source.text(source.uint8())), // SHORT_BINUNICODE
  0x7d: (machine) => machine.push(new Map()), // EMPTY_DICT
  0x5d: (machine) => machine.push([]), // EMPTY_LIST
  0x29: (machine) => machine.push([]), // EMPTY_TUPLE
  0x85: (machine) => machine.tuple(1), // TUPLE1
  0x86: (machine) => machine.tuple(2), // TUPLE2
  0x87: (machine) => machine.tuple(3), // TUPLE3
  0x74: (machine) => machine.tuple(null), // TUPLE
  0x61: (machine) => machine.append(1), // APPEND
  0x65: (machine) => machine.append(null), // APPENDS
  0x73: (machine) => machine.setItems(2), // SETITEM
  0x75: (machine) => machine.setItems(null), // SETITEMS
  0x71: (machine, source) => machine.store(source.uint8()), // BINPUT
  0x72: (machine, source) => machine.store(source.uint32()), // LONG_BINPUT
  0x94: (machine) => machine.memoize(), // MEMOIZE
  0x68: (machine, source) => machine.recall(source.uint8()), // BINGET
  0x6a: (machine, source) => machine.recall(source.uint32()), // LONG_BINGET
  0x63: (machine, source) => machine.global(source.line(), source.line()), // GLOBAL
  0x93: (machine) => machine.stackGlobal(), // STACK_GLOBAL
  0x52: (machine) => machine.call(), // REDUCE
  0x51: (machine) => machine.persistent(), // BINPERSID
  0x62: (machine) => machine.build(), // BUILD
};

/** The value that a pickle stands for, in arrays, maps, texts, numbers and what `objects` gives. */
export function readPickle(bytes: Uint8Array, objects: PickleObjects): PickleResult {
  try {
    return { value: new Machine(bytes, objects).run() };
  } catch (thrown) {
    if (thrown instanceof Refused) return { refused: thrown.message };
    if (thrown instanceof Damaged) return { problem: thrown.message };
    throw thrown;
  }
}
