/**
 * The only file that imports prom-client: a registry with the process's own figures, to which metrics are
 * added.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Page } from '../http-server.js';

export class MetricsRegistry {
  readonly #registry = new Registry();
  #watchesProcess = false;

  /** @param labels put on every metric, for example the run's name */
  constructor(labels: Readonly<Record<string, string>> = {}) {
    this.#registry.setDefaultLabels(labels);
  }

  gauge<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.#registry] });
  }

  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [this.#registry] });
  }

  /**
   * The registry in Prometheus's text format. The process's own figures are counted from the first page on: what
   * observes them (garbage collection, delays of the event loop) is not stopped again, and most registries of a test
   * or of a program that trains several times are never asked.
   */
  async page(): Promise<Page> {
    if (!this.#watchesProcess) collectDefaultMetrics({ register: this.#registry });
    this.#watchesProcess = true;
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

/** From a millisecond to ten minutes, in seconds. */
export const SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600,
] as const;
