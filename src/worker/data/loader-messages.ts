/** The messages between the loader and its thread. */
import type { PlainError } from '../../errors/errors.js';
import type { BatchRequest, LoaderStatistics, MicroBatch } from './micro-batch.js';

export type ToLoaderThread =
  | { readonly kind: 'build'; readonly id: number; readonly request: BatchRequest }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

export interface FromLoaderThread {
  readonly id: number;
  /** Null if the request was cancelled. The buffers are transferred. */
  readonly outcome: { readonly batch: MicroBatch | null } | { readonly error: PlainError };
  readonly statistics: LoaderStatistics;
}
