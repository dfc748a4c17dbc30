/**
 * Waits for the workers' answers until all are there, one worker is lost, or one that hangs has been removed.
 */
import { coded } from '../../errors/errors.js';
import type { Clock } from '../../host/clock.js';
import { Phase, type Body, type MessageName } from '../../wire/codec.js';
import type { ClusterEvent } from '../members/cluster-event.js';
import { hangVerdict } from './hang-verdict.js';
import type { Inbox } from '../members/inbox.js';
import { describe, readyMembers, type Member } from '../members/membership.js';
import type { PhaseHistory } from './phase-history.js';
import type { Roster } from '../members/roster.js';
import type { RunWait } from './run-wait.js';

/** How a wait for answers ended. */
export interface AnswerWaitEnd<N extends MessageName> {
  readonly answers: ReadonlyMap<number, Body<N>>;
  /** Workers that were waited for and are no longer members. The first of them ends the wait. */
  readonly lost: readonly number[];
  /** `stallCheck` has ended the wait. */
  readonly cut: boolean;
  /** `interrupted` has ended the wait. */
  readonly interrupted: boolean;
}

/**
 * For waits in which workers wait for each other: looking at each one alone does not find the one that hangs.
 */
export interface StallCheck {
  /** Whether none of them makes progress; this ends the wait. */
  readonly found: () => boolean;
  /** Whether a worker without progress may be waiting for another one. */
  readonly excuses: (member: Member) => boolean;
}

export interface AnswerWaitOptions<N extends MessageName> {
  readonly name: N;
  readonly step: number;
  readonly from: readonly number[];
  readonly matches: (body: Body<N>) => boolean;
  /** How long a worker may go without progress before it is removed. */
  readonly timeoutMs: number;
  readonly stallCheck?: StallCheck;
  /** True ends the wait: the answers are not wanted any more. */
  readonly interrupted?: () => boolean;
}

/** The objects that a wait works with. */
export interface AnswerWaitServices {
  readonly clock: Clock;
  readonly roster: Roster;
  readonly inbox: Inbox;
  readonly history: PhaseHistory;
  readonly waits: RunWait;
  readonly note: (event: ClusterEvent) => void;
}

interface Look<N extends MessageName> {
  readonly answers: ReadonlyMap<number, Body<N>>;
  readonly lost: readonly number[];
  readonly missing: readonly Member[];
}

/**
 * Waits for a matching answer from every worker of `from`, for the first of them that is lost, for `stallCheck`, or until
 * `interrupted`.
 * A worker that makes no progress for `timeoutMs` is expelled with a verdict.
 * @throws STEP_TIMEOUT if that would leave nobody, or the error that has ended the run
 */
export async function waitForAnswers<N extends MessageName>(
  services: AnswerWaitServices,
  options: AnswerWaitOptions<N>,
): Promise<AnswerWaitEnd<N>> {
  const { name, step, from, matches, timeoutMs, stallCheck } = options;
  const { clock, roster, inbox, waits } = services;
  roster.atStep(step);
  const startMs = clock.now();
  const asked = new Set(from);
  /** Called for every message, so it makes a single pass. */
  const look = (): Look<N> => {
    const here = roster.members.filter((m) => asked.has(m.worker));
    const present = new Set(here.map((m) => m.worker));
    const all = inbox.matching(name, matches);
    return {
      answers: new Map([...all].filter(([worker]) => asked.has(worker))),
      lost: present.size === asked.size ? [] : from.filter((worker) => !present.has(worker)),
      missing: here.filter((m) => !all.has(m.worker)),
    };
  };
  let cut = false;
  let interrupted = false;
  const met = (): boolean => {
    const { missing, lost } = look();
    if (missing.length === 0 || lost.length > 0) return true;
    interrupted = options.interrupted?.() === true;
    if (interrupted) return true;
    const nowMs = clock.now();
    const hung = missing.filter(
      (m) => nowMs - Math.max(m.movedAtMs, startMs) > timeoutMs && stallCheck?.excuses(m) !== true,
    );
    if (hung.length > 0) {
      expelHung(services, hung, { step, timeoutMs, nowMs });
      // If all workers hang, none was removed and the run has failed.
      return look().lost.length > 0;
    }
    cut = stallCheck?.found() === true;
    return cut;
  };
  // Only the condition ends this loop: every worker answers, is lost, or makes progress.
  while ((await waits.until(met, timeoutMs)) === 'late');
  const { answers, lost } = look();
  return { answers, lost, cut, interrupted };
}

function expelHung(
  { roster, history, note, waits }: AnswerWaitServices,
  hung: readonly Member[],
  { step, timeoutMs, nowMs }: { readonly step: number; readonly timeoutMs: number; readonly nowMs: number },
): void {
  const verdicts = hung.map((m) => ({
    worker: m.worker,
    text: hangVerdict(m, step, nowMs, history.usual(m.heartbeat?.phase ?? Phase.PHASE_IDLE)),
  }));
  if (hung.length === readyMembers(roster.members).length) {
    for (const { worker, text } of verdicts) note({ kind: 'hung', worker, text });
    waits.fail(coded('STEP_TIMEOUT', { step, timeoutMs, waiting: describe(hung) }));
    return;
  }
  for (const { worker, text } of verdicts) roster.expel(worker, 'hung', text, false);
}
