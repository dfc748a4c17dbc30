/** The typed array that a reduction of a kind adds up. */
import type { SumKind } from '../ring/segment-header.js';

export type Vector = Int32Array | Float32Array;

/** All of `memory`, typed as sums of that kind: 4 bytes a parameter. */
export function vectorOf(kind: 'exact', memory: SharedArrayBuffer): Int32Array;
export function vectorOf(kind: 'fp32', memory: SharedArrayBuffer): Float32Array;
export function vectorOf(kind: SumKind, memory: SharedArrayBuffer): Vector;
export function vectorOf(kind: SumKind, memory: SharedArrayBuffer): Vector {
  return kind === 'exact' ? new Int32Array(memory) : new Float32Array(memory);
}
