/** Wakes a process that stops itself. */
import type { ChildProcess } from 'node:child_process';

const AGAIN_MS = 100;

export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/**
 * Sends SIGCONT until `hasStopped`, and once more. A process announces its stop before it stops. On a busy machine some
 * time may pass between the two, and a SIGCONT that comes before the stop has no effect.
 * @param hasStopped whether the process has said that it was stopped, which it says after it wakes up
 */
export function wake(child: ChildProcess, hasStopped: () => boolean): void {
  if (!isRunning(child)) return;
  const last = hasStopped();
  child.kill('SIGCONT');
  if (!last) setTimeout(() => wake(child, hasStopped), AGAIN_MS);
}
