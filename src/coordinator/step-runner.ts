/** One step of the protocol: plan, wait for every worker's sum, judge, and plan again or commit. */
import type { RunConfig } from '../shared/config/schema.js';
import { coded } from '../shared/errors.js';
import { exceedsRange, repeatExponents, stepExponents } from '../shared/exact/exponents.js';
import { faultPoint } from '../shared/fault-injection.js';
import type { ParameterLayout } from '../shared/model/parameter-layout.js';
import type { Body } from '../shared/protocol/codec.js';
import type { Cluster } from './cluster.js';
import { enoughWorkers } from './enough-workers.js';
import { leastReached, ringStalled } from './membership.js';
import { stepReportError } from './report-check.js';
import { epochOrder, stepMicroBatches, stepPosition, type MicroBatch } from './sampling.js';
import { planningSpeeds, stragglers, updateSpeeds } from './speeds.js';
import { judgeStep, type StepReport, type StepTotals } from './step-outcome.js';
import { assignFreshly, type Speeds } from './step-planning.js';
import { nextRound, statePeers, type StepRound } from './step-round.js';

export interface StepResult {
  readonly totals: StepTotals;
  readonly reports: readonly StepReport[];
  /** Times the step was planned again because a gradient left its fixed-point range. */
  readonly repeats: number;
  /** Times the step was planned again because workers came or went. */
  readonly replans: number;
  /** From the plan to the last report of the round that was committed. */
  readonly roundMs: number;
  /** From the last report to the last commit sent, most of it the journal's way to the disk. */
  readonly commitMs: number;
  /** Micro-batches a second by worker, smoothed. */
  readonly speeds: Speeds;
  /** Workers that need much longer than the others, with how many times the median. */
  readonly stragglers: ReadonlyMap<number, number>;
}

/** What is about to be committed: to be written down before any worker is told. */
export interface Committing {
  readonly totals: StepTotals;
  readonly generation: number;
  readonly ring: readonly number[];
}

export interface StepRunnerOptions {
  readonly cluster: Cluster;
  readonly config: RunConfig;
  readonly layout: ParameterLayout;
  readonly trainSamples: number;
  readonly perEpoch: number;
  /** Generations of this runner are higher. */
  readonly generation: number;
  /** True ends a wait for workers. */
  readonly interrupted: () => boolean;
}

/** A step is planned again this often at most: its own maxima make the second time fit. */
const MOST_REPEATS = 2;
/** After so many all-reduces of a step that came to a standstill, a worker is left out. */
const MOST_STALLS = 2;
/** Leaving workers out does not help either. */
const MOST_STALLS_IN_ALL = 20;

export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #tensorNames: readonly string[];
  /** Of the newest round, and its ring while that is whole. */
  #last: { readonly generation: number; readonly ring: readonly number[] | null };
  #order: { readonly epoch: number; readonly samples: Uint32Array } | null = null;
  #measured: Speeds = new Map();
  #planned: Speeds = new Map();
  #slow: ReadonlyMap<number, number> = new Map();

  constructor(options: StepRunnerOptions) {
    this.#options = options;
    this.#last = { generation: options.generation, ring: null };
    this.#tensorNames = options.layout.slots.map((slot) => slot.name);
  }

  /** Micro-batches a second by worker. */
  get speeds(): Speeds {
    return this.#measured;
  }

  /**
   * Runs `step` up to and including its commit.
   * @param beforeCommit writes the commit down; workers are told when it resolves
   * @returns null when interrupted: the step is not committed
   * @throws STATE_LOST, WORKERS_MISSING, STEP_TIMEOUT, LOSS_NOT_FINITE, GRADIENT_NOT_FINITE, DIGEST_MISMATCH,
   * PROTOCOL_GARBAGE, GRADIENT_NOT_REPEATABLE, RING_TIMEOUT
   */
  async run(
    step: number,
    learningRate: number,
    runningMaxima: readonly number[],
    beforeCommit: (committing: Committing) => Promise<void>,
  ): Promise<StepResult | null> {
    const { cluster, config } = this.#options;
    const microBatches = this.#microBatches(step);
    let exponents = stepExponents(Float32Array.from(runningMaxima), microBatches.length);
    let previous: StepRound | null = null;
    const times = { repeats: 0, replans: 0, stalls: 0, mismatches: 0 };
    for (;;) {
      if (!(await enoughWorkers(this.#options, step, previous))) return null;
      faultPoint('before-plan', step);
      const plannedMs = performance.now();
      const round: StepRound = this.#plan(step, learningRate, exponents, microBatches, previous);
      previous = round;
      faultPoint('after-plan', step);
      const reports = await this.#reports(round);
      const reportedMs = performance.now();
      if (reports === 'lost' || reports === 'stalled') {
        times.replans++;
        if (reports === 'stalled') this.#onStall(round, ++times.stalls);
        continue;
      }
      const outcome = judgeStep(step, reports, this.#tensorNames);
      if (outcome.kind === 'stop') throw outcome.error;
      if (outcome.kind === 'mismatch') {
        times.replans++;
        if (outcome.odd.length === 0 && ++times.mismatches > 1) throw outcome.error;
        for (const worker of outcome.odd) cluster.expel(worker, outcome.error.message);
        continue;
      }
      const { totals } = outcome;
      const count = microBatches.length;
      if (config.reduction === 'exact' && exceedsRange(totals.maxima, exponents, count)) {
        if (++times.repeats > MOST_REPEATS)
          throw coded('GRADIENT_NOT_REPEATABLE', { step, times: times.repeats });
        exponents = repeatExponents(totals.maxima, count);
        continue;
      }
      const { generation, ring } = round;
      faultPoint('before-commit', step);
      cluster.beginCommit();
      await beforeCommit({ totals, generation, ring });
      faultPoint('after-journal', step);
      cluster.commit(ring, { step, generation, digest: Buffer.from(totals.digest, 'hex') });
      faultPoint('after-commit', step);
      this.#last = { generation, ring };
      this.#learn(reports, ring);
      const { repeats, replans } = times;
      const roundMs = reportedMs - plannedMs;
      const commitMs = performance.now() - reportedMs;
      const figures = { roundMs, commitMs, speeds: this.#measured, stragglers: this.#slow };
      return { totals, reports, repeats, replans, ...figures };
    }
  }

  #microBatches(step: number): MicroBatch[] {
    const { config, trainSamples, perEpoch } = this.#options;
    const { batch, microBatch, seed } = config;
    const { epoch, stepInEpoch } = stepPosition(step, perEpoch);
    if (this.#order?.epoch !== epoch) {
      this.#order = { epoch, samples: epochOrder(seed, epoch, trainSamples) };
    }
    return stepMicroBatches(this.#order.samples, stepInEpoch, batch, microBatch);
  }

  #plan(
    step: number,
    learningRate: number,
    exponents: Int32Array,
    microBatches: readonly MicroBatch[],
    previous: StepRound | null,
  ): StepRound {
    const { cluster, perEpoch } = this.#options;
    const members = cluster.ready;
    const speeds = this.#planned;
    const last = this.#last;
    const round = nextRound({ step, last, exponents, microBatches, members, speeds, previous });
    this.#last = { generation: round.generation, ring: null };
    const { epoch, lastOfEpoch } = stepPosition(step, perEpoch);
    // The next epoch's order is not worked out ahead: one step an epoch starts without decoded images.
    const ahead = lastOfEpoch ? null : assignFreshly(this.#microBatches(step + 1), round.ring, speeds);
    const byWorker = new Map(members.map((m) => [m.worker, m]));
    const common = {
      step,
      generation: round.generation,
      epoch,
      learningRate,
      exponents: [...exponents],
      samples: microBatches.reduce((sum, { samples }) => sum + samples.length, 0),
      ring: round.ring.map((worker) => ({
        worker,
        endpoint: byWorker.get(worker)?.ready?.ringEndpoint ?? '',
      })),
      prefetchEpoch: epoch,
    };
    for (const [i, worker] of round.ring.entries()) {
      if (i === 1) faultPoint('mid-plan', step);
      cluster.send(worker, 'stepPlan', {
        ...common,
        microBatches: wire(round.assignment.get(worker)),
        prefetch: wire(ahead?.get(worker)),
        statePeers: statePeers(round, worker).map((peer) => ({
          worker: peer,
          endpoint: byWorker.get(peer)?.ready?.stateEndpoint ?? '',
        })),
      });
    }
    return round;
  }

  /** The reports of all workers of the round, or why it cannot be finished. */
  async #reports({
    step,
    generation,
    ring,
    assignment,
  }: StepRound): Promise<StepReport[] | 'lost' | 'stalled'> {
    const { cluster, config } = this.#options;
    const plannedMs = performance.now();
    const stalled = (): boolean => {
      const members = cluster.members.filter((m) => ring.includes(m.worker));
      return ringStalled(members, step, performance.now(), config.ringTimeoutMs, plannedMs);
    };
    const { answers, lost, cut } = await cluster.gather({
      name: 'stepDone',
      step,
      from: ring,
      matches: (body) => body.step === step && body.generation === generation,
      timeoutMs: config.stepTimeoutMs,
      enough: stalled,
    });
    if (lost.length > 0) return 'lost';
    if (cut) return 'stalled';
    let sound = true;
    for (const [worker, body] of answers) {
      const given = (assignment.get(worker) ?? []).reduce((sum, { samples }) => sum + samples.length, 0);
      const error = stepReportError(worker, body, given, this.#tensorNames.length);
      if (error === null) continue;
      if (ring.length === 1) throw error;
      cluster.expel(worker, error.message);
      sound = false;
    }
    if (!sound) return 'lost';
    return [...answers].map(([worker, done]) => ({ worker, done })).sort((a, b) => a.worker - b.worker);
  }

  /** All are there and nothing moves: first the same ring again, then without the worker that got least. */
  #onStall({ step, generation, ring }: StepRound, stalls: number): void {
    const { cluster, config } = this.#options;
    const text = `the all-reduce of step ${step} stands still: the ring is formed again`;
    cluster.note({ kind: 'stalled', text });
    if (stalls <= MOST_STALLS) return;
    if (stalls > MOST_STALLS_IN_ALL) {
      const waitedMs = stalls * config.ringTimeoutMs;
      const progress = `begun again ${stalls} times, each time after the third without another worker`;
      throw coded('RING_TIMEOUT', { step, waitedMs, progress });
    }
    const least = leastReached(
      cluster.members.filter((m) => ring.includes(m.worker)),
      generation,
    );
    if (least === undefined) return;
    cluster.cutOff(least.worker, `worker ${least.worker} is not reached by its neighbour in the ring`);
  }

  #learn(reports: readonly StepReport[], ring: readonly number[]): void {
    const { cluster, config } = this.#options;
    const measurements = reports.map(({ worker, done: { timings } }) => {
      cluster.history.note(timings);
      const { microBatches, dataMs, computeMs, quantiseMs } = timings;
      return { worker, microBatches, ms: dataMs + computeMs + quantiseMs };
    });
    this.#measured = updateSpeeds(this.#measured, measurements);
    if (config.balance === 'speed') this.#planned = planningSpeeds(this.#planned, this.#measured, ring);
    const slow = stragglers(this.#measured, ring);
    for (const [worker, times] of slow) {
      if (this.#slow.has(worker)) continue;
      const text = `worker ${worker} needs ${times.toFixed(1)} times as long as the others for a micro-batch`;
      cluster.note({ kind: 'straggler', worker, text });
    }
    this.#slow = slow;
  }
}

function wire(microBatches: readonly MicroBatch[] = []): Body<'stepPlan'>['microBatches'] {
  return microBatches.map(({ index, samples }) => ({ index, samples: [...samples] }));
}
