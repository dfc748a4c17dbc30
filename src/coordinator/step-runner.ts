/** One step of the protocol: plan, wait for every worker's sum, judge, repeat with other exponents or commit. */
import type { RunConfig } from '../shared/config/schema.js';
import { coded } from '../shared/errors.js';
import { exceedsRange, repeatExponents, stepExponents } from '../shared/exact/exponents.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import type { Body } from '../shared/protocol/codec.js';
import type { Cluster } from './cluster.js';
import { epochOrder, stepMicroBatches, stepPosition, type MicroBatch } from './sampling.js';
import { stepReportError } from './report-check.js';
import { judgeStep, type StepReport, type StepTotals } from './step-outcome.js';
import { assignEvenly, type Assignment } from './step-planning.js';

export interface StepResult {
  readonly totals: StepTotals;
  readonly reports: readonly StepReport[];
  /** Times the step was planned again because a gradient left its fixed-point range. */
  readonly repeats: number;
}

/** A step is planned again this often at most: its own maxima make the second time fit. */
const MOST_REPEATS = 2;

export class StepRunner {
  readonly #cluster: Cluster;
  readonly #config: RunConfig;
  readonly #tensorNames: readonly string[];
  readonly #trainSamples: number;
  readonly #perEpoch: number;
  #generation = 1;
  #order: { readonly epoch: number; readonly samples: Uint32Array } | null = null;

  constructor(
    cluster: Cluster,
    config: RunConfig,
    layout: ParameterLayout,
    trainSamples: number,
    perEpoch: number,
  ) {
    this.#cluster = cluster;
    this.#config = config;
    this.#tensorNames = layout.slots.map((slot) => slot.name);
    this.#trainSamples = trainSamples;
    this.#perEpoch = perEpoch;
  }

  /**
   * Runs `step` up to and including its commit.
   * @throws WORKER_LOST, STEP_TIMEOUT, LOSS_NOT_FINITE, GRADIENT_NOT_FINITE, DIGEST_MISMATCH, PROTOCOL_GARBAGE,
   * GRADIENT_NOT_REPEATABLE
   */
  async run(step: number, learningRate: number, runningMaxima: readonly number[]): Promise<StepResult> {
    const microBatches = this.#microBatches(step);
    const count = microBatches.length;
    let exponents = stepExponents(Float32Array.from(runningMaxima), count);
    for (let repeats = 0; repeats <= MOST_REPEATS; repeats++) {
      const generation = this.#generation;
      const assignment = assignEvenly(microBatches, this.#cluster.workers);
      this.#plan(step, generation, learningRate, exponents, microBatches, assignment);
      const reports = await this.#collect(step, generation, assignment);
      const outcome = judgeStep(step, reports, this.#tensorNames);
      if (outcome.kind === 'stop') throw outcome.error;
      const { totals } = outcome;
      if (this.#config.reduction === 'fp32' || !exceedsRange(totals.maxima, exponents, count)) {
        this.#cluster.broadcast('commit', { step, generation, digest: Buffer.from(totals.digest, 'hex') });
        return { totals, reports, repeats };
      }
      exponents = repeatExponents(totals.maxima, count);
      this.#generation++;
    }
    throw coded('GRADIENT_NOT_REPEATABLE', { step, times: MOST_REPEATS + 1 });
  }

  #microBatches(step: number): MicroBatch[] {
    const { batch, microBatch, seed } = this.#config;
    const { epoch, stepInEpoch } = stepPosition(step, this.#perEpoch);
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, samples: epochOrder(seed, epoch, this.#trainSamples) };
    }
    return stepMicroBatches(this.#order.samples, stepInEpoch, batch, microBatch);
  }

  #plan(
    step: number,
    generation: number,
    learningRate: number,
    exponents: Int32Array,
    microBatches: readonly MicroBatch[],
    assignment: Assignment,
  ): void {
    const { workers, members } = this.#cluster;
    const { epoch, lastOfEpoch } = stepPosition(step, this.#perEpoch);
    // The next epoch's order is not worked out ahead: one step an epoch starts without decoded images.
    const ahead = lastOfEpoch ? null : assignEvenly(this.#microBatches(step + 1), workers);
    const common = {
      step,
      generation,
      epoch,
      learningRate,
      exponents: [...exponents],
      samples: microBatches.reduce((sum, { samples }) => sum + samples.length, 0),
      ring: members.map((m) => ({ worker: m.worker, endpoint: m.ready?.ringEndpoint ?? '' })),
      prefetchEpoch: epoch,
    };
    for (const worker of workers) {
      this.#cluster.send(worker, 'stepPlan', {
        ...common,
        microBatches: wire(assignment.get(worker)),
        prefetch: wire(ahead?.get(worker)),
      });
    }
  }

  async #collect(step: number, generation: number, assignment: Assignment): Promise<StepReport[]> {
    const done = await this.#cluster.collect(
      'stepDone',
      step,
      (body) => body.step === step && body.generation === generation,
      this.#config.stepTimeoutMs,
    );
    for (const [worker, body] of done) {
      const given = (assignment.get(worker) ?? []).reduce((sum, { samples }) => sum + samples.length, 0);
      const error = stepReportError(worker, body, given, this.#tensorNames.length);
      if (error !== null) throw error;
    }
    return [...done].map(([worker, body]) => ({ worker, done: body })).sort((a, b) => a.worker - b.worker);
  }
}

function wire(microBatches: readonly MicroBatch[] = []): Body<'stepPlan'>['microBatches'] {
  return microBatches.map(({ index, samples }) => ({ index, samples: [...samples] }));
}
