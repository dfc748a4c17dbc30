/** The worker's loop: do what the coordinator says until it says stop. */
import type { RunConfig } from '../shared/config/schema.js';
import { coded } from '../shared/errors.js';
import { lossUnits } from '../shared/exact/loss-units.js';
import type { Logger } from '../shared/log/logger.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import { Phase, type Body, type MicroBatchAssignment } from '../shared/protocol/codec.js';
import type { GradientAccumulator } from './collective/gradient-accumulator.js';
import type { Loader } from './data/loader.js';
import type { BatchRequest } from './data/micro-batch.js';
import type { ComputeEngine } from './engine/engine.js';
import type { ExactKernels } from './engine/native/kernel-api/exact.js';
import type { ReduceResult, ReduceTask } from './link/link-contract.js';
import type { Link } from './link/link.js';
import type { StatusBoard } from './link/status-board.js';
import { clipFactor, scaleExactGradient, scaleFloatGradient } from './optimizer/gradient-scaling.js';
import type { TrainingState } from './training-state.js';

/**
 * In step timeouts. A fast worker may wait in the ring for as long as a slow one gets on, which only the coordinator
 * sees; its stop ends the wait. This is for the case that the coordinator itself does not notice.
 */
const RING_PATIENCE = 10;

export interface StepLoopParts {
  readonly worker: number;
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly link: Link;
  readonly status: StatusBoard;
  readonly loader: Loader;
  readonly engine: ComputeEngine;
  readonly state: TrainingState;
  readonly accumulator: GradientAccumulator;
  /** Undefined where they are not built. */
  readonly kernels: ExactKernels | undefined;
  readonly log: Logger;
}

/** A step whose gradient is reduced and that waits for its commit. */
interface PendingStep {
  readonly plan: Body<'stepPlan'>;
  readonly done: Body<'stepDone'>;
  readonly doneAtMs: number;
}

export class StepLoop {
  readonly #parts: StepLoopParts;
  readonly #slotIndex: ReadonlyMap<string, number>;
  #pending: PendingStep | null = null;

  constructor(parts: StepLoopParts) {
    this.#parts = parts;
    this.#slotIndex = new Map(parts.layout.slots.map((slot, index) => [slot.name, index]));
  }

  /** Returns when the coordinator says stop. @throws what makes this worker unable to go on */
  async run(): Promise<Body<'stop'>> {
    for (;;) {
      const message = await this.#parts.link.receive();
      switch (message.name) {
        case 'stepPlan':
          await this.#computeStep(message.body);
          break;
        case 'commit':
          this.#applyStep(message.body);
          break;
        case 'evaluationPlan':
          await this.#evaluate(message.body);
          break;
        case 'stop':
          return message.body;
        default:
          throw coded('PROTOCOL_GARBAGE', {
            peer: 'the coordinator',
            reason: `${message.name} during training`,
          });
      }
    }
  }

  async #computeStep(plan: Body<'stepPlan'>): Promise<void> {
    const { worker, config, link, loader, status, accumulator } = this.#parts;
    const startMs = performance.now();
    const request = (m: MicroBatchAssignment, epoch: number): BatchRequest => ({
      split: 'train',
      epoch,
      samples: m.samples,
      augment: true,
    });
    loader.prefetch([
      ...plan.microBatches.map((m) => request(m, plan.epoch)),
      ...plan.prefetch.map((m) => request(m, plan.prefetchEpoch)),
    ]);
    const prefetchDepth = loader.ready;

    accumulator.begin(Int32Array.from(plan.exponents), Math.ceil(plan.samples / config.microBatch));
    const figures = { lossSum: 0, correct: 0, samples: 0, dataMs: 0, computeMs: 0, quantiseMs: 0 };
    let lossNotFiniteAt: number | null = null;
    for (const microBatch of plan.microBatches) {
      if (link.stopping) return;
      link.check();
      status.enter(Phase.PHASE_DATA, plan.step);
      const takenMs = performance.now();
      const batch = await loader.take(request(microBatch, plan.epoch));
      status.enter(Phase.PHASE_COMPUTE, plan.step);
      const readyMs = performance.now();
      let quantiseMs = 0;
      const position = { step: plan.step, microBatch: microBatch.index };
      const result = this.#parts.engine.trainMicroBatch(batch, position, (slot, gradient) => {
        const beforeMs = performance.now();
        accumulator.add(this.#slotIndex.get(slot.name)!, gradient);
        quantiseMs += performance.now() - beforeMs;
      });
      const units = lossUnits(result.lossSum);
      if (Number.isSafeInteger(units)) figures.lossSum += units;
      else lossNotFiniteAt ??= microBatch.index;
      figures.correct += result.correct;
      figures.samples += batch.count;
      figures.dataMs += readyMs - takenMs;
      figures.quantiseMs += quantiseMs;
      figures.computeMs += performance.now() - readyMs - quantiseMs;
    }

    status.enter(Phase.PHASE_ALL_REDUCE, plan.step);
    const { step, generation, ring } = plan;
    const reduced = await this.#reduce({
      step,
      generation,
      ring,
      worker,
      timeoutMs: RING_PATIENCE * config.stepTimeoutMs,
    });
    if (reduced === null) return;
    status.enter(Phase.PHASE_COMMIT_WAIT, plan.step);
    const doneAtMs = performance.now();
    const done: Body<'stepDone'> = {
      step,
      generation,
      digest: reduced.digest,
      lossSum: figures.lossSum,
      correct: figures.correct,
      samples: figures.samples,
      maxima: [...accumulator.maxima],
      nonFinite: [...accumulator.nonFinite.keys()].filter((slot) => accumulator.nonFinite[slot] === 1),
      lossNotFinite: lossNotFiniteAt !== null,
      lossNotFiniteAt: lossNotFiniteAt ?? 0,
      timings: {
        dataMs: figures.dataMs,
        computeMs: figures.computeMs,
        quantiseMs: figures.quantiseMs,
        reduceWaitMs: reduced.waitMs,
        reduceSumMs: reduced.sumMs,
        reduceTotalMs: reduced.totalMs,
        digestMs: reduced.digestMs,
        totalMs: doneAtMs - startMs,
        bytesSent: reduced.bytesSent,
        bytesReceived: reduced.bytesReceived,
        prefetchDepth,
      },
    };
    link.send('stepDone', done);
    this.#parts.log.debug({ step, generation, ...done.timings }, 'step done');
    this.#pending = { plan, done, doneAtMs };
  }

  /** The all-reduce of a step; null when the coordinator has called it off with a stop. */
  async #reduce(task: ReduceTask): Promise<ReduceResult | null> {
    try {
      return await this.#parts.link.call('reduce', task);
    } catch (error) {
      if (this.#parts.link.stopping) return null;
      throw error;
    }
  }

  #applyStep(commit: Body<'commit'>): void {
    const { config, layout, link, status, state, engine, kernels } = this.#parts;
    const pending = this.#pending;
    if (pending?.plan.step !== commit.step || pending.plan.generation !== commit.generation) {
      throw coded('INTERNAL', { reason: `commit of step ${commit.step}, which this worker has not reduced` });
    }
    if (Buffer.compare(commit.digest, pending.done.digest) !== 0) {
      throw coded('DIGEST_MISMATCH', { worker: this.#parts.worker, step: commit.step });
    }
    this.#pending = null;
    const { plan, done, doneAtMs } = pending;
    status.enter(Phase.PHASE_UPDATE, plan.step);
    const startMs = performance.now();
    const { gradient, weights, moments, shared } = state;
    const { exponents, samples } = plan;
    const { norm, notFinite } =
      shared.kind === 'exact'
        ? scaleExactGradient(new Int32Array(shared.reduced), exponents, samples, layout, gradient, kernels)
        : scaleFloatGradient(new Float32Array(shared.reduced), samples, layout, gradient, kernels);
    if (notFinite !== null) throw coded('GRADIENT_NOT_FINITE', { tensor: notFinite, step: plan.step });
    state.optimizer.step({
      weights,
      gradient,
      state: moments,
      lr: plan.learningRate,
      stepNumber: plan.step,
      clipFactor: clipFactor(norm, config.clipNorm),
    });
    engine.loadWeights(weights);
    status.enter(Phase.PHASE_IDLE, plan.step + 1);
    const updateMs = performance.now() - startMs;
    const commitWaitMs = startMs - doneAtMs;
    link.send('updateDone', { step: plan.step, gradientNorm: norm, updateMs, commitWaitMs });
    link.observe({ step: plan.step, samples: done.samples, timings: done.timings, updateMs, commitWaitMs });
  }

  async #evaluate(plan: Body<'evaluationPlan'>): Promise<void> {
    const { link, status, state, engine, loader } = this.#parts;
    const { step } = status.read();
    const request = (m: MicroBatchAssignment): BatchRequest => ({
      split: 'test',
      epoch: 0,
      samples: m.samples,
      augment: false,
    });
    loader.prefetch(plan.microBatches.map(request));
    const averaged = plan.useEma ? state.moments.ema : undefined;
    if (averaged !== undefined) engine.loadWeights(averaged);
    let lossSum = 0;
    let correct = 0;
    const predictions: number[] = [];
    for (const microBatch of plan.microBatches) {
      if (link.stopping) return;
      link.check();
      status.enter(Phase.PHASE_EVALUATE, step);
      const result = engine.evaluateMicroBatch(await loader.take(request(microBatch)));
      for (const loss of result.losses) lossSum += lossUnits(loss);
      if (!Number.isSafeInteger(lossSum)) {
        throw coded('LOSS_NOT_FINITE', { value: lossSum, step, microBatch: microBatch.index });
      }
      correct += result.correct;
      predictions.push(...result.predictions);
    }
    if (averaged !== undefined) engine.loadWeights(state.weights);
    status.enter(Phase.PHASE_IDLE, step);
    link.send('evaluationDone', { evaluation: plan.evaluation, lossSum, correct, predictions });
  }
}
