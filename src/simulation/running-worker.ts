/** A simulated worker process, and what a fault makes of it. */
import type { SimulatedProcess } from './simulated-process.js';

export interface RunningWorker {
  readonly process: SimulatedProcess;
  /** A person asks it to leave. */
  readonly leave: AbortController;
  /** Its training thread stands still until then. */
  hangsUntilMs: number;
  /** One of its weights changes with its next update. */
  damage: boolean;
  /** It reports a wrong digest next. */
  lie: boolean;
}

export function newWorker(process: SimulatedProcess): RunningWorker {
  return { process, leave: new AbortController(), hangsUntilMs: 0, damage: false, lie: false };
}
