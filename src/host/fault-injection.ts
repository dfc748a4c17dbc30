/**
 * Deliberate faults at named points of a step, for `vitrail chaos` and tests. VITRAIL_FAULTS has a list of
 * POINT@STEP:ACTION, each of which happens once. Without it, a point costs one comparison.
 */
import { writeSync } from 'node:fs';

/** The points at which a worker can be hit, in the order in which a step passes them. */
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

/** The points at which a coordinator can be hit. */
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

/**
 * kill and stop are the signals. slow is a pause of half a second. cut is only printed, for the test that
 * holds the link.
 */
export const FAULT_ACTIONS = ['kill', 'stop', 'cut', 'slow'] as const;
/** flip: the caller damages its own data, as broken memory does. hang: the thread stands still for ever. */
export type FaultAction = (typeof FAULT_ACTIONS)[number] | 'flip' | 'hang';

export interface Fault {
  readonly point: FaultPoint;
  /** It happens in this step or, if that does not pass the point, in the first later step that does. */
  readonly step: number;
  readonly action: FaultAction;
}

/** The lines that report a fault, and that a process was stopped, begin with these texts. */
export const FAULT = 'fault';
export const STOPPED = 'stopped';

const SLOW_MS = 500;
/** Time for half of the messages to leave before their sender is hit. */
const FLUSH_MS = 30;
const BETWEEN_MESSAGES: readonly FaultPoint[] = ['mid-plan', 'mid-commit'];
/** Time for the test to cut the link. */
const CUT_MS = 50;

export function faultText({ point, step, action }: Fault): string {
  return `${point}@${step}:${action}`;
}

/** Parses a list of faults. Entries that are no faults are left out. */
export function parseFaults(text: string): Fault[] {
  const points: readonly string[] = [...WORKER_POINTS, ...COORDINATOR_POINTS];
  const actions: readonly string[] = [...FAULT_ACTIONS, 'flip', 'hang'];
  return text.split(',').flatMap((item) => {
    const match = /^([a-z-]+)@(\d+):([a-z]+)$/.exec(item.trim());
    if (match === null || !points.includes(match[1]!) || !actions.includes(match[3]!)) return [];
    return [{ point: match[1] as FaultPoint, step: Number(match[2]), action: match[3] as FaultAction }];
  });
}

/** The faults of this thread that have not happened yet. */
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
  // Not process.stderr: there, a thread's output waits for the main thread, which may be stopped now.
  writeSync(2, `${FAULT} ${faultText({ ...fault, step })}\n`);
  if (BETWEEN_MESSAGES.includes(point)) pauseThread(FLUSH_MS);
  if (fault.action === 'kill') process.kill(process.pid, 'SIGKILL');
  else if (fault.action === 'stop') {
    process.kill(process.pid, 'SIGSTOP');
    // A SIGCONT that comes before this line may have come before the stop, and so have had no effect.
    writeSync(2, `${STOPPED} ${faultText({ ...fault, step })}\n`);
  } else if (fault.action === 'hang') pauseThread(Infinity);
  else if (fault.action !== 'flip') pauseThread(fault.action === 'slow' ? SLOW_MS : CUT_MS);
  return fault.action === 'flip' ? 'flip' : null;
}
