/**
 * Computes a step: adds one micro-batch after the other to the accumulator, which is kept when the plan
 * changes.
 */
import type { RunConfig } from '../run/config/schema.js';
import type { Clock } from '../host/clock.js';
import { faultPoint } from '../host/fault-injection.js';
import { lossUnits } from '../numbers/exact/loss-units.js';
import type { ParameterLayout } from '../run/model/parameter-layout.js';
import { Phase, type Body, type MicroBatchAssignment } from '../wire/codec.js';
import type { GradientAccumulator } from '../collective/sums/gradient-accumulator.js';
import type { MicroBatches } from './batches/micro-batches.js';
import type { BatchRequest } from './data/micro-batch.js';
import { workToDo, type HeldWork } from './held-work.js';
import type { StatusBoard } from './link/status-board.js';

export interface StepWorkServices {
  readonly clock: Clock;
  readonly config: RunConfig;
  /** Of the parameters that are trained. */
  readonly layout: ParameterLayout;
  readonly status: StatusBoard;
  readonly batches: MicroBatches;
  readonly accumulator: GradientAccumulator;
}

/** Figures of all micro-batches in the sum. */
interface SumFigures {
  lossSum: number;
  correct: number;
  samples: number;
  lossNotFiniteAt: number | null;
}

/** Milliseconds spent on the micro-batches of one plan. */
export interface WorkTimes {
  dataMs: number;
  computeMs: number;
  quantiseMs: number;
  microBatches: number;
  prefetchDepth: number;
}

type SumReport = Pick<
  Body<'stepDone'>,
  'lossSum' | 'correct' | 'samples' | 'maxima' | 'nonFinite' | 'lossNotFinite' | 'lossNotFiniteAt'
>;

const NOTHING: SumFigures = { lossSum: 0, correct: 0, samples: 0, lossNotFiniteAt: null };

function request(m: MicroBatchAssignment, epoch: number): BatchRequest {
  return { split: 'train', epoch, samples: m.samples, augment: true };
}

export class StepWork {
  readonly #services: StepWorkServices;
  readonly #slotIndex: ReadonlyMap<string, number>;
  #held: { step: number; exponents: readonly number[]; microBatches: Set<number> } | null = null;
  #figures: SumFigures = { ...NOTHING };

  constructor(services: StepWorkServices) {
    this.#services = services;
    this.#slotIndex = new Map(services.layout.slots.map((slot, index) => [slot.name, index]));
  }

  get held(): HeldWork | null {
    return this.#held;
  }

  /** Drops the sum, because its content will never count. */
  forget(): void {
    this.#held = null;
  }

  /**
   * Computes those micro-batches of `plan` that are not in the sum yet.
   * @param interrupted called between micro-batches; true leaves the rest undone
   * @returns null when interrupted
   */
  async compute(plan: Body<'stepPlan'>, interrupted: () => boolean): Promise<WorkTimes | null> {
    const { batches, accumulator, config } = this.#services;
    const { keep, compute } = workToDo(this.#held, plan);
    batches.prefetch([
      ...compute.map((m) => request(m, plan.epoch)),
      ...plan.prefetch.map((m) => request(m, plan.prefetchEpoch)),
    ]);
    const times = { dataMs: 0, computeMs: 0, quantiseMs: 0, microBatches: 0, prefetchDepth: batches.ready };
    if (!keep) {
      accumulator.begin(Int32Array.from(plan.exponents), Math.ceil(plan.samples / config.microBatch));
      this.#held = { step: plan.step, exponents: plan.exponents, microBatches: new Set() };
      this.#figures = { ...NOTHING };
    }
    for (const [i, microBatch] of compute.entries()) {
      if (interrupted()) return null;
      try {
        await this.#add(plan, microBatch, times, i === compute.length - 1);
      } catch (error) {
        // A part of the micro-batch's gradient may already be in the sum.
        this.forget();
        throw error;
      }
    }
    if (interrupted()) return null;
    await accumulator.settle();
    return interrupted() ? null : times;
  }

  /** The fields of StepDone that describe the sum. */
  report(): SumReport {
    const { lossNotFiniteAt, ...figures } = this.#figures;
    const { maxima, nonFinite } = this.#services.accumulator;
    return {
      ...figures,
      maxima: [...maxima],
      nonFinite: [...nonFinite.keys()].filter((slot) => nonFinite[slot] === 1),
      lossNotFinite: lossNotFiniteAt !== null,
      lossNotFiniteAt: lossNotFiniteAt ?? 0,
    };
  }

  async #add(
    plan: Body<'stepPlan'>,
    microBatch: MicroBatchAssignment,
    times: WorkTimes,
    last: boolean,
  ): Promise<void> {
    const { clock, status, batches, accumulator } = this.#services;
    status.enter(Phase.PHASE_DATA, plan.step);
    const takenMs = clock.now();
    const batch = await batches.take(request(microBatch, plan.epoch));
    status.enter(Phase.PHASE_COMPUTE, plan.step);
    const readyMs = clock.now();
    let quantiseMs = 0;
    const position = { step: plan.step, microBatch: microBatch.index };
    const result = await batch.train(position, (slot, gradient) => {
      faultPoint('mid-micro-batch', plan.step);
      const beforeMs = clock.now();
      accumulator.add(this.#slotIndex.get(slot.name)!, gradient, last);
      quantiseMs += clock.now() - beforeMs;
    });
    const figures = this.#figures;
    const units = lossUnits(result.lossSum);
    if (Number.isSafeInteger(units)) figures.lossSum += units;
    else figures.lossNotFiniteAt ??= microBatch.index;
    figures.correct += result.correct;
    figures.samples += batch.count;
    this.#held?.microBatches.add(microBatch.index);
    times.dataMs += readyMs - takenMs;
    times.quantiseMs += quantiseMs;
    times.computeMs += clock.now() - readyMs - quantiseMs;
    times.microBatches++;
  }
}
