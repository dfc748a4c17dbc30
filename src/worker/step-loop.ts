/** The worker's loop, which does what the coordinator says until the coordinator says stop. */
import type { RunConfig } from '../run/config/schema.js';
import { coded, revivedError } from '../errors/errors.js';
import type { Clock } from '../host/clock.js';
import { faultPoint } from '../host/fault-injection.js';
import type { Logger } from '../host/logger.js';
import { Phase, type Body } from '../wire/codec.js';
import { evaluatePart, type EvaluationServices } from './evaluation-work.js';
import type { LinkCalls } from './link/link-contract.js';
import type { Link } from './link/link.js';
import type { StatusBoard } from './link/status-board.js';
import type { StepWork, WorkTimes } from './step-work.js';
import type { Training } from './training/training.js';
import type { TrainingState } from './training/training-state.js';

/**
 * Limit of an all-reduce, in step timeouts. A fast worker may wait in the ring for as long as a slow one makes progress.
 * Only the coordinator sees that, and ends the wait if the slow one hangs. This limit is for the case that it does not.
 */
const RING_PATIENCE = 10;

export interface StepLoopServices extends EvaluationServices {
  readonly clock: Clock;
  readonly config: RunConfig;
  readonly link: Link;
  readonly status: StatusBoard;
  readonly work: StepWork;
  readonly state: TrainingState;
  readonly training: Training;
  readonly log: Logger;
}

/** A step whose gradient is reduced and that waits for its commit. */
export interface PendingStep {
  readonly plan: Body<'stepPlan'>;
  readonly done: Body<'stepDone'>;
  readonly doneAtMs: number;
}

/** Why the loop ends: the coordinator says stop, or this worker is not (or no longer) a member. */
export type LoopEnd =
  | { readonly kind: 'stop'; readonly stop: Body<'stop'> }
  | { readonly kind: 'unknown'; readonly reason: string; readonly discard: boolean };

export class StepLoop {
  readonly #services: StepLoopServices;
  #worker = 0;
  #pending: PendingStep | null = null;

  constructor(services: StepLoopServices) {
    this.#services = services;
  }

  /** A reduced gradient that waits for its commit. */
  get pending(): PendingStep | null {
    return this.#pending;
  }

  /** Begins anew as a member, with the state that `welcome` names. Nothing else is kept. */
  async takePlace({ worker, commitDigest, keepSum }: Body<'welcome'>): Promise<void> {
    this.#worker = worker;
    if (commitDigest.length > 0) await this.#commit(commitDigest);
    this.#pending = null;
    if (!keepSum) this.#services.work.forget();
  }

  /** Has to be called after weights or optimizer state were written to shared memory from elsewhere. */
  async reload(): Promise<void> {
    this.#services.batches.forget();
    await this.#services.training.reload();
  }

  /** Works until the coordinator ends it. @throws the error with which this worker cannot go on */
  async run(): Promise<LoopEnd> {
    for (;;) {
      const message = await this.#services.link.receive();
      switch (message.name) {
        case 'stepPlan':
          await this.#computeStep(message.body);
          break;
        case 'commit':
          await this.#commitOf(message.body);
          break;
        case 'evaluationPlan':
          await this.#evaluate(message.body);
          break;
        case 'whoAreYou':
          return { kind: 'unknown', reason: message.body.reason, discard: message.body.discardState };
        case 'refusal':
          throw revivedError(message.body);
        case 'stop':
          return { kind: 'stop', stop: message.body };
        default:
          throw coded('PROTOCOL_GARBAGE', {
            peer: 'the coordinator',
            reason: `${message.name} during training`,
          });
      }
    }
  }

  async #computeStep(plan: Body<'stepPlan'>): Promise<void> {
    const { link, status, work, config } = this.#services;
    const startMs = this.#services.clock.now();
    const { step, generation, ring } = plan;
    const interrupted = (): boolean => {
      link.check();
      return status.overtakes(generation);
    };
    this.#pending = null;
    if (status.state !== step && !(await this.#pullState(plan))) return;
    faultPoint('before-compute', step);
    const times = await work.compute(plan, interrupted);
    if (times === null) return;

    faultPoint('before-ring', step);
    status.enter(Phase.PHASE_ALL_REDUCE, step);
    const timeoutMs = RING_PATIENCE * config.stepTimeoutMs;
    const task = { step, generation, ring, worker: this.#worker, timeoutMs };
    const reduced = await this.#unlessCalledOff('reduce', task, generation);
    if (reduced === null) return;
    faultPoint('after-ring', step);
    status.enter(Phase.PHASE_COMMIT_WAIT, step);
    const doneAtMs = this.#services.clock.now();
    const { digest } = reduced;
    const timings = stepTimings(times, reduced, doneAtMs - startMs);
    const done = { step, generation, digest, ...work.report(), timings };
    link.send('stepDone', done);
    this.#services.log.debug({ step, generation, ...timings }, 'step done');
    this.#pending = { plan, done, doneAtMs };
    faultPoint('after-step-done', step);
  }

  /** Gets the state of the plan's step from a peer. @returns false when it was called off */
  async #pullState({ step, generation, statePeers }: Body<'stepPlan'>): Promise<boolean> {
    const { status, log } = this.#services;
    if (statePeers.length === 0) {
      throw coded('INTERNAL', { reason: `a plan of step ${step} for a state of ${status.state ?? 'none'}` });
    }
    status.enter(Phase.PHASE_STATE_PULL, step);
    status.setState(null);
    const startMs = this.#services.clock.now();
    const sources = statePeers.map(({ endpoint }) => endpoint);
    const pulled = await this.#unlessCalledOff('pullState', { step, generation, sources }, generation);
    if (pulled === null) return false;
    await this.reload();
    status.setState(step);
    log.info(
      { step, ms: Math.round(this.#services.clock.now() - startMs), ...pulled },
      'state taken from a peer',
    );
    return true;
  }

  /** Calls the communication thread. @returns null when a newer plan, or the coordinator, has called it off */
  async #unlessCalledOff<N extends 'reduce' | 'pullState'>(
    name: N,
    argument: LinkCalls[N]['argument'],
    generation: number,
  ): Promise<LinkCalls[N]['answer'] | null> {
    try {
      return await this.#services.link.call(name, argument);
    } catch (error) {
      this.#services.link.check();
      if (this.#services.status.overtakes(generation)) return null;
      throw error;
    }
  }

  async #commitOf(commit: Body<'commit'>): Promise<void> {
    const plan = this.#pending?.plan;
    if (plan?.step !== commit.step || plan.generation !== commit.generation) {
      throw coded('INTERNAL', { reason: `commit of step ${commit.step}, which this worker has not reduced` });
    }
    await this.#commit(commit.digest);
  }

  async #commit(digest: Uint8Array): Promise<void> {
    const { link, status, state, training } = this.#services;
    if (this.#pending === null) throw coded('INTERNAL', { reason: 'a commit, and nothing waits for it' });
    const { plan, done, doneAtMs } = this.#pending;
    if (Buffer.compare(digest, done.digest) !== 0) {
      throw coded('DIGEST_MISMATCH', { worker: this.#worker, step: plan.step });
    }
    this.#pending = null;
    faultPoint('before-update', plan.step);
    status.enter(Phase.PHASE_UPDATE, plan.step);
    status.setState(null);
    const startMs = this.#services.clock.now();
    const gradientNorm = await training.update(plan);
    if (faultPoint('mid-update', plan.step) === 'flip') state.weights[0]! += 1;
    status.setState(plan.step + 1);
    status.enter(Phase.PHASE_IDLE, plan.step + 1);
    const updateMs = this.#services.clock.now() - startMs;
    const commitWaitMs = startMs - doneAtMs;
    link.send('updateDone', { step: plan.step, gradientNorm, updateMs, commitWaitMs });
    faultPoint('after-update', plan.step);
    link.observe({ step: plan.step, samples: done.samples, timings: done.timings, updateMs, commitWaitMs });
  }

  async #evaluate(plan: Body<'evaluationPlan'>): Promise<void> {
    const { link, status } = this.#services;
    const before = status.newestGeneration;
    const interrupted = (): boolean => {
      link.check();
      return status.overtakes(before);
    };
    const done = await evaluatePart(this.#services, plan, interrupted);
    if (done !== null) link.send('evaluationDone', done);
  }
}

function stepTimings(
  times: WorkTimes,
  reduced: LinkCalls['reduce']['answer'],
  totalMs: number,
): Body<'stepDone'>['timings'] {
  return {
    ...times,
    reduceWaitMs: reduced.waitMs,
    reduceSumMs: reduced.sumMs,
    reduceTotalMs: reduced.totalMs,
    digestMs: reduced.digestMs,
    totalMs,
    bytesSent: reduced.bytesSent,
    bytesReceived: reduced.bytesReceived,
  };
}
