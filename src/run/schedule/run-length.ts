/**
 * How long a run is, and how long it was meant to be at each of its steps, since it may have been prolonged.
 * Pure.
 */

/** From step `fromStep` on, the run has a length of `epochs` epochs. */
export interface Prolongation {
  readonly fromStep: number;
  readonly epochs: number;
}

export interface RunLength {
  readonly epochs: number;
  /** In place of `epochs`, for the length that the run was started with. */
  readonly steps: number | null;
  /** Prolongations in their order as STEP:EPOCHS, joined by commas; null for none. */
  readonly prolonged: string | null;
}

const PROLONGATION = /^(\d{1,15}):(\d{1,9})$/;

/**
 * Null if `text` is not a list of prolongations. Each must be longer than the one before it and must not
 * begin earlier.
 */
export function parseProlongations(text: string | null): Prolongation[] | null {
  const list: Prolongation[] = [];
  for (const part of text?.split(',') ?? []) {
    const match = PROLONGATION.exec(part);
    if (match === null) return null;
    const next = { fromStep: Number(match[1]), epochs: Number(match[2]) };
    const last = list.at(-1);
    if (last !== undefined && (next.fromStep < last.fromStep || next.epochs <= last.epochs)) return null;
    list.push(next);
  }
  return list;
}

/** The list with one more prolongation. */
export function withProlongation(text: string | null, { fromStep, epochs }: Prolongation): string {
  const added = `${fromStep}:${epochs}`;
  return text === null ? added : `${text},${added}`;
}

/**
 * Whether `later` differs from `earlier` only by more prolongations, all of which begin at `step` or later.
 */
export function isProlongationOf(earlier: string | null, later: string | null, step: number): boolean {
  const [before, after] = [parseProlongations(earlier), parseProlongations(later)];
  if (before === null || after === null) return false;
  const same = before.every(
    (one, i) => one.fromStep === after[i]?.fromStep && one.epochs === after[i].epochs,
  );
  return same && after.slice(before.length).every(({ fromStep }) => fromStep >= step);
}

/**
 * The steps at which the run was, is or will be over. A length whose end the run never reached has no such
 * step.
 */
export function endsOf(run: RunLength, stepsPerEpoch: number): ReadonlySet<number> {
  const ends = new Set<number>();
  let end = firstLength(run, stepsPerEpoch);
  for (const { fromStep, epochs } of parseProlongations(run.prolonged) ?? []) {
    if (fromStep >= end) ends.add(end);
    end = epochs * stepsPerEpoch;
  }
  return ends.add(end);
}

/** The length that the run was started with, in steps; the warm-up follows from it. */
export function firstLength({ epochs, steps }: RunLength, stepsPerEpoch: number): number {
  return steps ?? epochs * stepsPerEpoch;
}

/** The length that the run has at `step`, in steps: the horizon of the decay. */
export function lengthAt(run: RunLength, stepsPerEpoch: number, step: number): number {
  const passed = (parseProlongations(run.prolonged) ?? []).filter(({ fromStep }) => fromStep <= step);
  const last = passed.at(-1);
  return last === undefined ? firstLength(run, stepsPerEpoch) : last.epochs * stepsPerEpoch;
}

/** Steps of the whole run, all prolongations included. */
export function totalSteps(run: RunLength, stepsPerEpoch: number): number {
  return lengthAt(run, stepsPerEpoch, Number.POSITIVE_INFINITY);
}
