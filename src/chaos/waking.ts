/** Wakes a process that stops itself. */
import type { ChildProcess } from 'node:child_process';

const AGAIN_MS = 100;

export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/**
 * Sends SIGCONT until `hasStopped`, and once more. A process announces its stop before it stops; on a busy machine a
 * while may pass between the two, and a SIGCONT that comes before the stop is for nothing.
 * @param hasStopped whether the process has said that it has been stopped: it says so afterwards
 */
export function wake(child: ChildProcess, hasStopped: () => boolean): void {
  if (!isRunning(child)) return;
  const last = hasStopped();
  child.kill('SIGCONT');
  if (!last) setTimeout(() => wake(child, hasStopped), AGAIN_MS);
}
