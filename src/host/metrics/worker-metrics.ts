/** The metrics on a worker's /metrics page, in Prometheus's base units: seconds, bytes. */
import type { Page } from '../http-server.js';
import type { Body } from '../../wire/codec.js';
import { MetricsRegistry, SECONDS_BUCKETS } from './registry.js';

/** The figures of one committed step on this worker. */
export interface WorkerFigures {
  readonly step: number;
  readonly samples: number;
  readonly timings: Body<'stepDone'>['timings'];
  readonly updateMs: number;
  readonly commitWaitMs: number;
}

/** One GPU of the worker's machine. */
export interface GpuFigures {
  readonly gpu: number;
  /** 0 to 1. */
  readonly utilization: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
}

export class WorkerMetrics {
  readonly #registry = new MetricsRegistry();
  readonly #step = this.#registry.gauge('vitrail_worker_step', 'Last committed step');
  readonly #samples = this.#registry.counter('vitrail_worker_samples_total', 'Training samples computed');
  readonly #rate = this.#registry.gauge(
    'vitrail_worker_images_per_second',
    'Training images a second, last step',
  );
  readonly #phases = this.#registry.histogram(
    'vitrail_worker_phase_seconds',
    'Time in one part of a step: data, compute, quantise, reduce_wait, reduce_sum, reduce_transfer, digest, commit_wait, update',
    SECONDS_BUCKETS,
    ['phase'],
  );
  readonly #stepSeconds = this.#registry.histogram(
    'vitrail_worker_step_seconds',
    'Time of one step',
    SECONDS_BUCKETS,
  );
  readonly #sent = this.#registry.counter(
    'vitrail_worker_reduce_sent_bytes_total',
    'Bytes sent in all-reduces',
  );
  readonly #received = this.#registry.counter(
    'vitrail_worker_reduce_received_bytes_total',
    'Bytes received in all-reduces',
  );
  readonly #dropped = this.#registry.counter(
    'vitrail_worker_ring_dropped_total',
    'Ring messages dropped: stale, damaged or from unknown peers',
  );
  readonly #gpu = {
    utilization: this.#registry.gauge('vitrail_worker_gpu_utilization', 'Share of time a GPU was busy', [
      'gpu',
    ]),
    used: this.#registry.gauge('vitrail_worker_gpu_memory_used_bytes', 'GPU memory in use', ['gpu']),
    total: this.#registry.gauge('vitrail_worker_gpu_memory_bytes', 'GPU memory in all', ['gpu']),
  };
  readonly #prefetch = this.#registry.gauge('vitrail_worker_prefetch_depth', 'Micro-batches decoded ahead');

  observe({ step, samples, timings, updateMs, commitWaitMs }: WorkerFigures): void {
    const phases = {
      data: timings.dataMs,
      compute: timings.computeMs,
      quantise: timings.quantiseMs,
      reduce_wait: timings.reduceWaitMs,
      reduce_sum: timings.reduceSumMs,
      reduce_transfer: Math.max(0, timings.reduceTotalMs - timings.reduceWaitMs - timings.reduceSumMs),
      digest: timings.digestMs,
      commit_wait: commitWaitMs,
      update: updateMs,
    };
    for (const [phase, ms] of Object.entries(phases)) this.#phases.observe({ phase }, ms / 1000);
    const totalMs = timings.totalMs + commitWaitMs + updateMs;
    this.#stepSeconds.observe(totalMs / 1000);
    this.#step.set(step);
    this.#samples.inc(samples);
    this.#rate.set((samples * 1000) / totalMs);
    this.#sent.inc(timings.bytesSent);
    this.#received.inc(timings.bytesReceived);
    this.#prefetch.set(timings.prefetchDepth);
  }

  /** Notes messages that an all-reduce dropped. */
  dropped(messages: number): void {
    this.#dropped.inc(messages);
  }

  /** Notes the GPUs of this machine, whichever process uses them. */
  observeGpus(figures: readonly GpuFigures[]): void {
    for (const { gpu, utilization, memoryUsedBytes, memoryTotalBytes } of figures) {
      this.#gpu.utilization.set({ gpu }, utilization);
      this.#gpu.used.set({ gpu }, memoryUsedBytes);
      this.#gpu.total.set({ gpu }, memoryTotalBytes);
    }
  }

  async page(): Promise<Page> {
    return this.#registry.page();
  }
}
