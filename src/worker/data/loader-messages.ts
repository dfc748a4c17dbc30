/** What the loader and its thread say to each other. */
import type { ErrorCode } from '../../shared/errors.js';
import type { BatchRequest, LoaderStatistics, MicroBatch } from './micro-batch.js';

export type ToLoaderThread =
  | { readonly kind: 'build'; readonly id: number; readonly request: BatchRequest }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

/** An error's parts: a class does not survive the way between threads. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly remedy: string;
}

export interface FromLoaderThread {
  readonly id: number;
  /** null: cancelled. The buffers are transferred. */
  readonly outcome: { readonly batch: MicroBatch | null } | { readonly error: PlainError };
  readonly statistics: LoaderStatistics;
}
