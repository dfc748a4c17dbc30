/** The learning rate of every step: linear warm-up, then cosine, linear or no decay. */
import { counted } from '../../errors/wording.js';
import { halfCosine } from './half-cosine.js';

export interface LearningRateSchedule {
  readonly form: 'cosine' | 'linear' | 'constant';
  /** Base learning rate. */
  readonly base: number;
  /** Steps of linear warm-up; 0 for none. */
  readonly warmupSteps: number;
  /** Steps of the whole run, warm-up included. */
  readonly totalSteps: number;
  /**
   * The rate at the end of the decay; null for the schedule's default, 0 (cosine) or 1e-5 (linear). Ignored
   * by `constant`.
   */
  readonly finalLr: number | null;
}

/** vit_jax, `linear_end`. */
const LINEAR_FINAL_LR = 1e-5;

/** The rate at the end of a schedule's decay. */
export function effectiveFinalLr({
  form,
  base,
  finalLr,
}: Pick<LearningRateSchedule, 'form' | 'base' | 'finalLr'>): number {
  if (form === 'constant') return base;
  return finalLr ?? (form === 'linear' ? LINEAR_FINAL_LR : 0);
}

function decayed(schedule: LearningRateSchedule, progress: number): number {
  const end = effectiveFinalLr(schedule);
  const remaining = schedule.form === 'cosine' ? halfCosine(progress) : 1 - progress;
  return end + (schedule.base - end) * remaining;
}

/**
 * Progress of the decay: 0 until the warm-up ends, 1 from the end of the run on. A run that ends within its
 * warm-up never decays.
 */
function decayProgress({ warmupSteps, totalSteps }: LearningRateSchedule, step: number): number {
  if (step <= warmupSteps) return 0;
  if (step >= totalSteps) return 1;
  return (step - warmupSteps) / (totalSteps - warmupSteps);
}

/**
 * The learning rate of the update that ends step `step` (from 0, so with a warm-up the first update has rate 0):
 * base x decay(progress) x min(1, step / warm-up), rounded to float32 as in vit_jax (`utils.py`,
 * `create_learning_rate_schedule`). A pure function of the schedule and the step, so a resumed run needs no state.
 */
export function learningRate(schedule: LearningRateSchedule, step: number): number {
  const { warmupSteps } = schedule;
  const warmup = step >= warmupSteps ? 1 : step / warmupSteps;
  return Math.fround(decayed(schedule, decayProgress(schedule, step)) * warmup);
}

/** Steps of linear warm-up: as configured, or a twentieth of the length that the run was started with. */
export function warmupOf(given: number | null, firstLength: number): number {
  return given ?? Math.floor(firstLength / 20);
}

/** A warning before the run starts, or null. */
export function scheduleWarning({ warmupSteps, totalSteps: total }: LearningRateSchedule): string | null {
  if (total > warmupSteps) return null;
  return (
    `the run has ${counted(total, 'step')} and the warm-up ${warmupSteps}: the learning rate only rises and never ` +
    `reaches its base; set --warmup-steps below ${total}`
  );
}
