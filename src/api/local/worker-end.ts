/** Finds out why a worker's process ended, from its exit and the end of its log. Pure. */
import { exhaustionIn } from '../../errors/exhaustion.js';

// The form in which reportError writes an error, without colours because it goes to a file.
const CODED = /^error ([A-Z][A-Z_]+: .*)$/gm;
/** V8 ends the process itself, and none of our code runs then. */
const HEAP = /^FATAL ERROR: (.*(?:heap out of memory|Allocation failed).*)$/m;

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** @param log its log since it was started, or the end of that */
export function workerEnd({ code, signal }: WorkerExit, log: string): string {
  const exit = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
  const heap = HEAP.exec(log)?.[1];
  if (heap !== undefined) {
    return `${exit}: ${heap} (raise NODE_OPTIONS=--max-old-space-size=MB, or use a smaller --micro-batch)`;
  }
  const said = [...log.matchAll(CODED)].at(-1)?.[1];
  if (said !== undefined) return `${exit}: ${said}`;
  const last = log
    .trimEnd()
    .split('\n')
    .findLast((line) => exhaustionIn(line) !== null);
  return last === undefined ? exit : `${exit}: ${last.trim()}`;
}
