/** The series that coordinator and workers really serve, read from their pages after a step was observed. */
import { CoordinatorMetrics } from '../../src/coordinator/watch/coordinator-metrics.js';
import { WorkerMetrics } from '../../src/host/metrics/worker-metrics.js';

/** Values of each label of a series. */
type Labels = ReadonlyMap<string, ReadonlySet<string>>;

interface MetricCatalogue {
  /** Metrics by the names that pages declare, with their types. */
  readonly types: ReadonlyMap<string, string>;
  /** Series by name (a histogram has three), with their labels. */
  readonly series: ReadonlyMap<string, Labels>;
}

/** Labels that Prometheus adds to what it scrapes: always, and to workers from /discovery. */
const SCRAPE_LABELS = ['job', 'instance'];
const WORKER_LABELS = ['run', 'worker', 'host'];

async function coordinatorPage(): Promise<string> {
  let nowMs = 0;
  const metrics = new CoordinatorMetrics('test-run', () => nowMs);
  metrics.onStart({
    version: '0.1.0',
    name: 'vit-ti/16',
    steps: 10,
    stepsPerEpoch: 1,
    fromStep: 0,
    saved: -1,
    workers: 2,
    backend: 'cpu',
    parameters: 1,
    initFrom: null,
    initCommit: null,
    initDigest: null,
  });
  nowMs = 500;
  const figures = { lossSum: 4, correct: 1, samples: 2 };
  const totals = { ...figures, maxima: new Float32Array(1), digest: '' };
  const more = {
    replans: 1,
    roundMs: 5,
    commitMs: 1,
    speeds: new Map([[0, 2]]),
    stragglers: new Map([[0, 2]]),
  };
  metrics.onStep({ step: 0, epoch: 0, learningRate: 0.1, totals, reports: [], repeats: 1, ...more });
  metrics.onUpdate(0, { step: 0, gradientNorm: 1.5, updateMs: 1, commitWaitMs: 1 });
  const epoch = { epoch: 0, train: figures, evaluated: figures, step: 1, improved: true, evaluationMs: 5 };
  for (const split of ['val', 'test'] as const) metrics.onEpoch({ ...epoch, split });
  metrics.onCheckpoint({ step: 1, path: '', ms: 20, weightDigest: '' });
  metrics.onClusterEvent({ kind: 'lost', worker: 1, text: '' });
  return (await metrics.page()).body;
}

async function workerPage(): Promise<string> {
  const metrics = new WorkerMetrics();
  const timings = {
    dataMs: 1,
    computeMs: 2,
    quantiseMs: 3,
    reduceWaitMs: 4,
    reduceSumMs: 5,
    reduceTotalMs: 9,
    totalMs: 20,
    bytesSent: 100,
    bytesReceived: 100,
    prefetchDepth: 2,
    digestMs: 1,
    microBatches: 1,
  };
  metrics.observe({ step: 0, samples: 2, timings, updateMs: 6, commitWaitMs: 7 });
  metrics.observeGpus([{ gpu: 0, utilization: 0.5, memoryUsedBytes: 1, memoryTotalBytes: 2 }]);
  return (await metrics.page()).body;
}

const TYPE_LINE = /^# TYPE (\S+) (\S+)$/;
const SAMPLE_LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? \S+$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Adds what `page` (Prometheus's text format) shows. */
function read(
  page: string,
  added: readonly string[],
  types: Map<string, string>,
  series: Map<string, Map<string, Set<string>>>,
): void {
  for (const line of page.split('\n')) {
    const [, type, kind] = TYPE_LINE.exec(line) ?? [];
    if (type !== undefined) types.set(type, kind!);
    const [, name, labels = ''] = SAMPLE_LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const known = series.get(name) ?? new Map<string, Set<string>>();
    series.set(name, known);
    for (const label of added) known.set(label, known.get(label) ?? new Set());
    for (const [, label, value] of labels.matchAll(LABEL)) {
      known.set(label!, (known.get(label!) ?? new Set()).add(value!));
    }
  }
}

/** All that a Prometheus set up by deploy/ can know of a run. */
export async function metricCatalogue(): Promise<MetricCatalogue> {
  const types = new Map<string, string>();
  const series = new Map<string, Map<string, Set<string>>>();
  read(await coordinatorPage(), SCRAPE_LABELS, types, series);
  read(await workerPage(), [...SCRAPE_LABELS, ...WORKER_LABELS], types, series);
  return { types, series };
}
