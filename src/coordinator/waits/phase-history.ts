/** Remembers how long the phases of recent steps took, so that a verdict can say what is usual. Pure apart from its memory. */
import { Phase, type Body } from '../../wire/codec.js';

const STEPS = 200;

/** Milliseconds. */
export interface Usual {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly count: number;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

/** For each phase, the longest time that a worker normally stays in it without progress. */
function timesOf(timings: Body<'stepDone'>['timings']): readonly (readonly [Phase, number])[] {
  const each = Math.max(1, timings.microBatches);
  return [
    [Phase.PHASE_DATA, timings.dataMs / each],
    [Phase.PHASE_COMPUTE, (timings.computeMs + timings.quantiseMs) / each],
    [Phase.PHASE_ALL_REDUCE, timings.reduceTotalMs + timings.digestMs],
  ];
}

export class PhaseHistory {
  readonly #times = new Map<Phase, number[]>();

  note(timings: Body<'stepDone'>['timings']): void {
    for (const [phase, ms] of timesOf(timings)) this.#add(phase, ms);
  }

  noteUpdate({ updateMs, commitWaitMs }: Body<'updateDone'>): void {
    this.#add(Phase.PHASE_UPDATE, updateMs);
    this.#add(Phase.PHASE_COMMIT_WAIT, commitWaitMs);
  }

  /** How long `phase` took in recent steps; null if no step has been through it. */
  usual(phase: Phase): Usual | null {
    const times = this.#times.get(phase);
    if (times === undefined) return null;
    const sorted = [...times].sort((a, b) => a - b);
    return { medianMs: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), count: sorted.length };
  }

  #add(phase: Phase, ms: number): void {
    const times = this.#times.get(phase) ?? [];
    times.push(ms);
    if (times.length > STEPS) times.shift();
    this.#times.set(phase, times);
  }
}
