/** Whether a process may end as it does. Pure. */
import { VitrailError } from '../errors/errors.js';

/** Errors that mean a defect of vitrail itself. */
const DEFECTS: readonly string[] = ['INTERNAL', 'JOURNAL_DAMAGED', 'CHECKPOINT_CORRUPT', 'RUN_EXISTS'];

/**
 * What is wrong with an end by `error`; null if nothing is. Only the coordinator may end with RING_TIMEOUT, because it
 * must abort an all-reduce before a worker's limit.
 */
export function endProblem(who: 'the coordinator' | 'a worker', error: unknown): string | null {
  if (!(error instanceof VitrailError)) {
    return `an error that has no code: ${String((error as Error).stack)}`;
  }
  const { code, message } = error;
  return DEFECTS.includes(code) || (code === 'RING_TIMEOUT' && who === 'a worker') ? message : null;
}
