/** An opened file of weights, whatever its format. */
import { coded } from '../../errors/errors.js';
import { floatsOf, isFloatType, type ElementType } from '../format/element-types.js';

export interface TensorInfo {
  readonly shape: readonly number[];
  readonly type: ElementType;
}

export interface TensorFile {
  /** For messages. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * The values of a tensor, the last axis fastest.
   * @throws WEIGHTS_TYPE_UNKNOWN for integers, WEIGHTS_NOT_FINITE, WEIGHTS_MALFORMED, WEIGHTS_UNREADABLE
   */
  read(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** @throws WEIGHTS_NOT_FINITE */
export function requireFinite(path: string, tensor: string, values: Float32Array): void {
  const position = values.findIndex((value) => !Number.isFinite(value));
  if (position < 0) return;
  throw coded('WEIGHTS_NOT_FINITE', { path, tensor, value: String(values[position]), position });
}

/** What `bytes` of a tensor stand for. @throws WEIGHTS_TYPE_UNKNOWN, WEIGHTS_NOT_FINITE */
export function tensorValues(
  path: string,
  tensor: string,
  type: ElementType,
  bytes: Uint8Array,
): Float32Array {
  if (!isFloatType(type)) throw coded('WEIGHTS_TYPE_UNKNOWN', { path, tensor, type });
  const values = floatsOf(bytes, type);
  requireFinite(path, tensor, values);
  return values;
}

/** The tensor called `name`, which the caller has seen in `tensors`. */
export function entryOf<T>(path: string, entries: ReadonlyMap<string, T>, name: string): T {
  const entry = entries.get(name);
  if (entry === undefined) throw coded('INTERNAL', { reason: `${path} has no tensor ${name}` });
  return entry;
}
