/** Describes a worker that hangs: who, in which phase, since when, what is usual, what it logged last. Pure. */
import { phaseOf, type Member } from '../members/membership.js';
import type { Usual } from './phase-history.js';

function usually(usual: Usual | null): string {
  if (usual === null) return 'no step has got through this phase yet';
  const { medianMs, p99Ms, count } = usual;
  return `usual: median ${medianMs.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms of ${count}`;
}

/** The message of a line that the worker logged as JSON, or the line. */
function lastWords(line: string): string {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'msg' in parsed) return String(parsed.msg);
  } catch {
    // The line is not JSON, so it is given as it is.
  }
  return line;
}

export function hangVerdict(member: Member, step: number, nowMs: number, usual: Usual | null): string {
  const { worker, host, pid } = member;
  const stillMs = Math.round(nowMs - member.movedAtMs);
  const inPhaseMs = Math.round(nowMs - member.phaseSinceMs);
  const words = member.logLines.slice(-3).map(lastWords);
  return [
    `worker ${worker} (${host}, pid ${pid}) hangs in step ${step} during ${phaseOf(member)}`,
    `nothing new for ${stillMs} ms, in this phase for ${inPhaseMs} ms`,
    usually(usual),
    words.length === 0 ? 'it has logged nothing' : `it last logged: ${words.join(' | ')}`,
  ].join('; ');
}
