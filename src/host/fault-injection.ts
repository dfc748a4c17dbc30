/**
 * Deliberate faults at named points of a step, for `vitrail chaos` and its tests: VITRAIL_FAULTS holds a list of
 * POINT@STEP:ACTION, each of which happens once. Without it a point costs a comparison.
 */
import { writeSync } from 'node:fs';

/** Where a worker can be hit, in the order in which a step passes them. */
export const WORKER_POINTS = [
  'state-pull',
  'state-serve',
  'before-compute',
  'mid-micro-batch',
  'before-ring',
  'ring-reduce',
  'ring-gather',
  'after-ring',
  'after-step-done',
  'before-update',
  'mid-update',
  'after-update',
  'evaluation',
  'checkpoint-serve',
] as const;

/** Where a coordinator can be hit. */
export const COORDINATOR_POINTS = [
  'before-plan',
  'mid-plan',
  'after-plan',
  'before-commit',
  'after-journal',
  'mid-commit',
  'after-commit',
  'before-evaluation',
  'before-checkpoint',
  'after-checkpoint',
] as const;

export type FaultPoint = (typeof WORKER_POINTS)[number] | (typeof COORDINATOR_POINTS)[number];

/** kill and stop: the signals; slow: half a second of pause; cut: only said, for whoever holds the link. */
export const FAULT_ACTIONS = ['kill', 'stop', 'cut', 'slow'] as const;
/** flip: the caller damages what it holds, as broken memory does; hang: the thread stands still for good. */
export type FaultAction = (typeof FAULT_ACTIONS)[number] | 'flip' | 'hang';

export interface Fault {
  readonly point: FaultPoint;
  /** It happens in this step or, where that does not pass the point, in the first later one that does. */
  readonly step: number;
  readonly action: FaultAction;
}

/** Begin the lines that tell of a fault, and that a process has been stopped. */
export const FAULT = 'fault';
export const STOPPED = 'stopped';

const SLOW_MS = 500;
/** Half of the messages are to be out when the sender is hit between two of them. */
const FLUSH_MS = 30;
const BETWEEN_MESSAGES: readonly FaultPoint[] = ['mid-plan', 'mid-commit'];
/** Time for whoever holds the link to cut it. */
const CUT_MS = 50;

export function faultText({ point, step, action }: Fault): string {
  return `${point}@${step}:${action}`;
}

/** The faults of a text; what is none is left out. */
export function parseFaults(text: string): Fault[] {
  const points: readonly string[] = [...WORKER_POINTS, ...COORDINATOR_POINTS];
  const actions: readonly string[] = [...FAULT_ACTIONS, 'flip', 'hang'];
  return text.split(',').flatMap((item) => {
    const match = /^([a-z-]+)@(\d+):([a-z]+)$/.exec(item.trim());
    if (match === null || !points.includes(match[1]!) || !actions.includes(match[3]!)) return [];
    return [{ point: match[1] as FaultPoint, step: Number(match[2]), action: match[3] as FaultAction }];
  });
}

/** Of this thread. */
let waiting: readonly Fault[] = parseFaults(process.env['VITRAIL_FAULTS'] ?? '');

/** Blocks the thread, as a machine that is busy with something else does. */
function pauseThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** A point that this thread passes in `step`. @returns what the caller has to do itself */
export function faultPoint(point: FaultPoint, step: number): 'flip' | null {
  if (waiting.length === 0) return null;
  const fault = waiting.find((f) => f.point === point && step >= f.step);
  if (fault === undefined) return null;
  waiting = waiting.filter((f) => f !== fault);
  // Not process.stderr: what a thread writes there waits for the main thread, which may be stopped now.
  writeSync(2, `${FAULT} ${faultText({ ...fault, step })}\n`);
  if (BETWEEN_MESSAGES.includes(point)) pauseThread(FLUSH_MS);
  if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (fault.action === 'stop') {
    process.kill(process.pid, 'SIGSTOP');
    // Before this line a SIGCONT may have come before the stop, and been for nothing.
    writeSync(2, `${STOPPED} ${faultText({ ...fault, step })}\n`);
  } else if (fault.action === 'hang') pauseThread(Infinity);
  else if (fault.action !== 'flip') pauseThread(fault.action === 'slow' ? SLOW_MS : CUT_MS);
  return fault.action === 'flip' ? 'flip' : null;
}
