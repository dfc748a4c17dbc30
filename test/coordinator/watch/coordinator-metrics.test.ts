import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoordinatorMetrics } from '../../../src/coordinator/watch/coordinator-metrics.js';

function observe(metrics: CoordinatorMetrics, step: number, worker: number): void {
  const totals = { lossSum: 1, correct: 1, samples: 2, maxima: new Float32Array(1), digest: '' };
  const times = { repeats: 0, replans: 0, roundMs: 1, commitMs: 1 };
  const speeds = new Map([[worker, 4]]);
  const stragglers = new Map([[worker, 2]]);
  metrics.onStep({ step, epoch: 0, learningRate: 0.1, totals, reports: [], speeds, stragglers, ...times });
}

test("a worker's speed stays in one series when another process takes its place", async () => {
  const metrics = new CoordinatorMetrics('run', () => 0);
  metrics.onClusterEvent({ kind: 'joined', worker: 0, place: 0, text: '' });
  observe(metrics, 0, 0);
  metrics.onClusterEvent({ kind: 'lost', worker: 0, place: 0, text: '' });
  metrics.onClusterEvent({ kind: 'joined', worker: 2, place: 0, text: '' });
  observe(metrics, 1, 2);
  const { body } = await metrics.page();
  assert.deepEqual(body.match(/^vitrail_worker_(?:speed|straggling)\{.*$/gm), [
    'vitrail_worker_speed{worker="0",run="run"} 4',
    'vitrail_worker_straggling{worker="0",run="run"} 2',
  ]);
  assert.match(body, /^vitrail_workers\{run="run"\} 1$/m);
});
