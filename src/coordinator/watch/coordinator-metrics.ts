/**
 * The metrics on the coordinator's /metrics page, in Prometheus's base units: seconds, bytes, ratios from 0
 * to 1.
 */
import type { Page } from '../../host/http-server.js';
import { MetricsRegistry, SECONDS_BUCKETS } from '../../host/metrics/registry.js';
import type { Body } from '../../wire/codec.js';
import type { ClusterEvent } from '../members/cluster-event.js';
import type {
  CheckpointObserved,
  EpochObserved,
  FinalTestObserved,
  RunStarted,
  StepObserved,
  TrainingObserver,
} from './observer.js';
import { accuracy, meanLoss, type Totals } from '../../run/journal/run-state.js';

/** The metrics themselves: names, help, labels. */
function define(registry: MetricsRegistry) {
  return {
    step: registry.gauge('vitrail_step', 'Committed steps'),
    steps: registry.gauge('vitrail_steps_planned', 'Steps of the whole run'),
    epoch: registry.gauge('vitrail_epoch', 'Epoch under way, from 0'),
    workers: registry.gauge('vitrail_workers', 'Workers in the run'),
    workersLost: registry.counter('vitrail_workers_lost_total', 'Workers lost'),
    learningRate: registry.gauge('vitrail_learning_rate', 'Learning rate of the last step'),
    gradientNorm: registry.gauge(
      'vitrail_gradient_norm',
      'Global norm of the averaged gradient before clipping',
    ),
    loss: registry.gauge('vitrail_loss', 'Mean loss: of the last step, or of the last epoch of a split', [
      'split',
    ]),
    accuracy: registry.gauge('vitrail_accuracy', 'Top-1 accuracy, 0 to 1', ['split']),
    samples: registry.counter('vitrail_samples_total', 'Training samples of committed steps'),
    imagesPerSecond: registry.gauge('vitrail_images_per_second', 'Training images a second, last step'),
    stepSeconds: registry.histogram('vitrail_step_seconds', 'From one commit to the next', SECONDS_BUCKETS),
    repeats: registry.counter(
      'vitrail_step_repeats_total',
      'Steps planned again with other fixed-point exponents',
    ),
    evaluationSeconds: registry.gauge('vitrail_evaluation_seconds', 'Time of the last evaluation'),
    build: registry.gauge('vitrail_build_info', 'Always 1; version, model and backend of the run', [
      'version',
      'model',
      'backend',
    ]),
    checkpoints: registry.counter('vitrail_checkpoints_total', 'Checkpoints written'),
    checkpointSeconds: registry.gauge('vitrail_checkpoint_seconds', 'Time of the last checkpoint'),
    checkpointStep: registry.gauge('vitrail_checkpoint_step', 'Step of the last checkpoint'),
    replans: registry.counter(
      'vitrail_step_replans_total',
      'Steps planned again because workers came or went, an all-reduce stalled, or digests differed',
    ),
    commitSeconds: registry.histogram(
      'vitrail_commit_seconds',
      'From the last report of a step to its last commit sent, the journal included',
      SECONDS_BUCKETS,
    ),
    joined: registry.counter('vitrail_workers_joined_total', 'Workers that joined'),
    suspected: registry.counter('vitrail_workers_suspected_total', 'Workers that fell silent for a while'),
    hung: registry.counter('vitrail_workers_hung_total', 'Workers removed because they hung'),
    expelled: registry.counter(
      'vitrail_workers_expelled_total',
      'Workers removed because they were outvoted, sent an impossible report, or could not be reached in the ring',
    ),
    stalls: registry.counter('vitrail_ring_stalls_total', 'All-reduces that stalled and were begun again'),
    rollbacks: registry.counter(
      'vitrail_rollbacks_total',
      'Times the run rolled back to a checkpoint because no worker held its state, or the state was wrong',
    ),
    diskFull: registry.counter(
      'vitrail_disk_full_total',
      'Times a file of the run folder could not be written because the disk was full',
    ),
    speed: registry.gauge('vitrail_worker_speed', 'Micro-batches a second of a worker, smoothed', ['worker']),
    straggling: registry.gauge(
      'vitrail_worker_straggling',
      'How many times the median a straggler needs for a micro-batch; no series for the others',
      ['worker'],
    ),
    garbage: registry.counter('vitrail_garbage_messages_total', 'Messages that were not of the protocol'),
  };
}

/** After one of these events a worker is no longer a member. */
const LEAVES: ReadonlySet<ClusterEvent['kind']> = new Set(['lost', 'left', 'hung', 'expelled', 'refused']);

export class CoordinatorMetrics implements TrainingObserver {
  readonly #registry: MetricsRegistry;
  readonly #metrics: ReturnType<typeof define>;
  readonly #now: () => number;
  #lastStepMs: number;
  /** Places of the members, by their numbers. */
  readonly #places = new Map<number, number>();

  /** @param now milliseconds of a monotonic clock */
  constructor(run: string, now: () => number) {
    this.#registry = new MetricsRegistry({ run });
    this.#metrics = define(this.#registry);
    this.#now = now;
    this.#lastStepMs = now();
  }

  onStart(event: RunStarted): void {
    this.#metrics.steps.set(event.steps);
    this.#metrics.step.set(event.fromStep);
    // If the run goes on from its journal, this is not the step that it starts from.
    this.#metrics.checkpointStep.set(Math.max(0, event.saved));
    this.#metrics.build.set({ version: event.version, model: event.name, backend: event.backend }, 1);
    this.#lastStepMs = this.#now();
  }

  onStep(observed: StepObserved): void {
    const { step, epoch, learningRate, totals, repeats, replans, commitMs } = observed;
    this.#metrics.replans.inc(replans);
    this.#metrics.commitSeconds.observe(commitMs / 1000);
    // Workers that are gone have no speed.
    this.#metrics.speed.reset();
    this.#metrics.straggling.reset();
    for (const [worker, speed] of observed.speeds) this.#metrics.speed.set(this.#labels(worker), speed);
    for (const [worker, times] of observed.stragglers) {
      this.#metrics.straggling.set(this.#labels(worker), times);
    }
    const seconds = (this.#now() - this.#lastStepMs) / 1000;
    this.#lastStepMs = this.#now();
    this.#metrics.stepSeconds.observe(seconds);
    this.#metrics.imagesPerSecond.set(totals.samples / seconds);
    this.#metrics.step.set(step + 1);
    this.#metrics.epoch.set(epoch);
    this.#metrics.learningRate.set(learningRate);
    this.#metrics.samples.inc(totals.samples);
    this.#metrics.repeats.inc(repeats);
    this.#split('step', totals);
  }

  onUpdate(_worker: number, event: Body<'updateDone'>): void {
    this.#metrics.gradientNorm.set(event.gradientNorm);
  }

  onEpoch({ train, split, evaluated, evaluationMs }: EpochObserved): void {
    if (evaluationMs !== null) this.#metrics.evaluationSeconds.set(evaluationMs / 1000);
    this.#split('train', train);
    if (evaluated !== null) this.#split(split, evaluated);
    this.#lastStepMs = this.#now();
  }

  /** The best weights are tested last, so the metrics show theirs. */
  onFinalTest({ test }: FinalTestObserved): void {
    this.#split('test', test);
  }

  onCheckpoint({ step, ms }: CheckpointObserved): void {
    this.#metrics.checkpoints.inc();
    this.#metrics.checkpointStep.set(step);
    this.#metrics.checkpointSeconds.set(ms / 1000);
    this.#lastStepMs = this.#now();
  }

  onClusterEvent({ kind, worker, place }: ClusterEvent): void {
    const counter = this.#counterOf(kind);
    counter?.inc();
    if (worker === undefined) return;
    if (kind === 'joined') {
      this.#metrics.workers.inc();
      this.#places.set(worker, place ?? worker);
    } else if (LEAVES.has(kind)) {
      this.#metrics.workers.dec();
      this.#places.delete(worker);
    }
  }

  /** Metrics name a worker by its place, which another worker may take over. */
  #labels(worker: number): { readonly worker: string } {
    return { worker: String(this.#places.get(worker) ?? worker) };
  }

  #counterOf(kind: ClusterEvent['kind']): { inc(): void } | null {
    const { joined, suspected, workersLost: lost, hung, expelled, stalls: stalled } = this.#metrics;
    const { rollbacks: back, diskFull, garbage } = this.#metrics;
    const counters: Partial<Record<ClusterEvent['kind'], { inc(): void }>> = {
      joined,
      suspected,
      lost,
      hung,
      expelled,
      stalled,
      back,
      garbage,
      'disk-full': diskFull,
    };
    return counters[kind] ?? null;
  }

  async page(): Promise<Page> {
    return this.#registry.page();
  }

  #split(split: string, totals: Totals): void {
    this.#metrics.loss.set({ split }, meanLoss(totals));
    this.#metrics.accuracy.set({ split }, accuracy(totals));
  }
}
