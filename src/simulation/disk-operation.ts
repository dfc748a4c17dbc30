/** An operation of a process on a simulated disk. */
import type { FileContent, RandomSource } from './file-content.js';

/** The kinds of operation that a fault can make fail. */
export type DiskOperation =
  | 'open'
  | 'append'
  | 'writeAt'
  | 'read'
  | 'close'
  | 'sync'
  | 'truncate'
  | 'list'
  | 'rename'
  | 'makeFolder'
  | 'remove'
  | 'syncFolder';

/** The effect of an operation, at its time. */
export interface Operation<T> {
  readonly kind: DiskOperation;
  readonly path: string;
  /** Operations on the same key happen in the order in which they were begun. */
  readonly file?: FileContent;
  readonly act: () => T;
  /**
   * The partial effect that it may have if its process ends meanwhile. Without it, the effect is all or
   * nothing.
   */
  readonly part?: (random: RandomSource) => void;
}
