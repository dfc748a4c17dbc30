/** One thing that a process asks of a simulated disk. */
import type { FileContent } from './file-content.js';

/** What can be told to fail. */
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

/** What an operation does when its time has come. */
export interface Operation<T> {
  readonly kind: DiskOperation;
  readonly path: string;
  /** On which operations follow one another in the order in which they were begun. */
  readonly file?: FileContent;
  readonly act: () => T;
  /** What is done of it where its process ends meanwhile, if not nothing or all. */
  readonly half?: () => void;
}
