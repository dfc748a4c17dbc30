/** One step of the protocol: plan, wait for every worker's sum, judge, and plan again or commit. */
import type { RunConfig } from '../run/config/schema.js';
import { coded } from '../errors/errors.js';
import { exceedsRange, repeatExponents, stepExponents } from '../numbers/exact/exponents.js';
import { faultPoint } from '../host/fault-injection.js';
import type { ParameterLayout } from '../run/model/parameter-layout.js';
import type { Cluster } from './cluster.js';
import { waitForWorkers } from './waits/worker-wait.js';
import type { Member } from './members/membership.js';
import { Pace } from './watch/pace.js';
import { planMessages } from './step/plan-messages.js';
import { stepReportError } from './step/report-check.js';
import { epochOrder, stepMicroBatches, epochStep, type MicroBatch } from './step/sampling.js';
import { leftOut, ringStallCheck } from './waits/ring-stall.js';
import type { StepTotals } from '../run/journal/run-state.js';
import { judgeStep, type StepReport } from './step/step-outcome.js';
import { assignFreshly, type Speeds } from './step/step-planning.js';
import { nextRound, type StepRound } from './step/step-round.js';

export interface StepResult {
  readonly totals: StepTotals;
  readonly reports: readonly StepReport[];
  /** Times the step was planned again because a gradient left its fixed-point range. */
  readonly repeats: number;
  /** Times the step was planned again because workers came or went, a ring stalled, or digests differed. */
  readonly replans: number;
  /** From the plan to the last report of the round that was committed. */
  readonly roundMs: number;
  /** From the last report to the last commit sent, most of it the journal's way to the disk. */
  readonly commitMs: number;
  /** Micro-batches a second by worker, smoothed. */
  readonly speeds: Speeds;
  /** Workers that need much longer than the others, each with its time as a multiple of the median. */
  readonly stragglers: ReadonlyMap<number, number>;
}

/** A step that is about to be committed. It is written to the journal before any worker is told. */
export interface Committing {
  readonly totals: StepTotals;
  readonly generation: number;
  readonly ring: readonly number[];
}

export interface StepRunnerOptions {
  readonly cluster: Cluster;
  readonly config: RunConfig;
  /** Of the parameters that are trained. */
  readonly layout: ParameterLayout;
  readonly trainSamples: number;
  readonly perEpoch: number;
  /** All generations of this runner are higher than this one. */
  readonly generation: number;
  /** True ends every wait for workers, those for their sums included. */
  readonly interrupted: () => boolean;
}

/**
 * A step is planned again with other exponents this often at most. The maxima of the first attempt make the
 * second one fit.
 */
const MOST_REPEATS = 2;
export class StepRunner {
  readonly #options: StepRunnerOptions;
  readonly #tensorNames: readonly string[];
  /** The generation of the newest round, and its ring as long as that is whole. */
  #last: { readonly generation: number; readonly ring: readonly number[] | null };
  #order: { readonly epoch: number; readonly samples: Uint32Array } | null = null;
  readonly #pace: Pace;

  constructor(options: StepRunnerOptions) {
    this.#options = options;
    this.#last = { generation: options.generation, ring: null };
    this.#pace = new Pace(options.config.balance === 'speed');
    this.#tensorNames = options.layout.slots.map((slot) => slot.name);
  }

  /** Micro-batches a second by worker. */
  get speeds(): Speeds {
    return this.#pace.measured;
  }

  /**
   * Runs `step` up to and including its commit.
   * @param beforeCommit writes the commit to the journal; workers are told when it resolves
   * @returns null when interrupted: the step is not committed
   * @throws STATE_LOST, WORKERS_MISSING, STEP_TIMEOUT, LOSS_NOT_FINITE, GRADIENT_NOT_FINITE, DIGEST_MISMATCH,
   * PROTOCOL_GARBAGE, GRADIENT_NOT_REPEATABLE, RING_TIMEOUT
   */
  async run(
    step: number,
    learningRate: number,
    amaxHistory: readonly number[],
    beforeCommit: (committing: Committing) => Promise<void>,
  ): Promise<StepResult | null> {
    const { cluster, config } = this.#options;
    const microBatches = this.#microBatches(step);
    let exponents = stepExponents(Float32Array.from(amaxHistory), microBatches.length);
    let previous: StepRound | null = null;
    const times = { repeats: 0, replans: 0, stalls: 0, mismatches: 0 };
    for (;;) {
      if (!(await waitForWorkers(this.#options, step, previous))) return null;
      faultPoint('before-plan', step);
      const plannedMs = cluster.clock.now();
      const round: StepRound = this.#plan(step, learningRate, exponents, microBatches, previous);
      previous = round;
      faultPoint('after-plan', step);
      const reports = await this.#reports(round);
      const reportedMs = cluster.clock.now();
      if (reports === 'interrupted') return null;
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
      const commit = { step, generation, digest: Buffer.from(totals.digest, 'hex') };
      await cluster.commit(ring, commit, async () => beforeCommit({ totals, generation, ring }));
      faultPoint('after-commit', step);
      this.#last = { generation, ring };
      this.#learn(reports, ring);
      const { repeats, replans } = times;
      const roundMs = reportedMs - plannedMs;
      const commitMs = cluster.clock.now() - reportedMs;
      const { measured: speeds, slow } = this.#pace;
      const figures = { roundMs, commitMs, speeds, stragglers: slow };
      return { totals, reports, repeats, replans, ...figures };
    }
  }

  #microBatches(step: number): MicroBatch[] {
    const { config, trainSamples, perEpoch } = this.#options;
    const { batch, microBatch, seed } = config;
    const { epoch, stepInEpoch } = epochStep(step, perEpoch);
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
    const speeds = this.#pace.planned;
    const last = this.#last;
    const round = nextRound({ step, last, exponents, microBatches, members, speeds, previous });
    this.#last = { generation: round.generation, ring: null };
    const { epoch, lastOfEpoch } = epochStep(step, perEpoch);
    // The order of the next epoch is not computed ahead, so the first step of an epoch starts without decoded
    // images.
    const ahead = lastOfEpoch ? null : assignFreshly(this.#microBatches(step + 1), round.ring, speeds);
    const samples = microBatches.reduce((sum, m) => sum + m.samples.length, 0);
    const messages = planMessages({ round, epoch, learningRate, samples, ahead, members });
    for (const [i, [worker, message]] of [...messages].entries()) {
      if (i === 1) faultPoint('mid-plan', step);
      cluster.send(worker, 'stepPlan', message);
    }
    return round;
  }

  /** The reports of all workers of the round, or why it cannot be finished. */
  async #reports(round: StepRound): Promise<StepReport[] | 'lost' | 'stalled' | 'interrupted'> {
    const { cluster, config } = this.#options;
    const { step, generation, ring, assignment } = round;
    const members = (): readonly Member[] => cluster.members;
    const now = (): number => cluster.clock.now();
    const stallCheck = ringStallCheck(round, members, {
      stallMs: config.ringTimeoutMs,
      plannedMs: now(),
      now,
    });
    const { answers, lost, cut, interrupted } = await cluster.waitForAnswers({
      name: 'stepDone',
      step,
      from: ring,
      matches: (body) => body.step === step && body.generation === generation,
      timeoutMs: config.stepTimeoutMs,
      interrupted: this.#options.interrupted,
      ...(stallCheck && { stallCheck }),
    });
    if (interrupted) return 'interrupted';
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

  #onStall(round: StepRound, stalls: number): void {
    const { cluster, config } = this.#options;
    const text = `the all-reduce of step ${round.step} has stalled: the ring is formed again`;
    cluster.note({ kind: 'stalled', text });
    const worker = leftOut(round, cluster.members, stalls, config.ringTimeoutMs);
    if (worker === null) return;
    cluster.quarantine(worker, `worker ${worker} is not reached by its neighbour in the ring`);
  }

  #learn(reports: readonly StepReport[], ring: readonly number[]): void {
    const { cluster } = this.#options;
    for (const { done } of reports) cluster.noteTimings(done.timings);
    for (const [worker, times] of this.#pace.learn(reports, ring)) {
      const text = `worker ${worker} needs ${times.toFixed(1)} times as long as the others for a micro-batch`;
      cluster.note({ kind: 'straggler', worker, text });
    }
  }
}
