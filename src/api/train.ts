/** `train`: a coordinator in this process and worker processes of its own. */
import { mkdirSync } from 'node:fs';
import type { Cluster } from '../coordinator/cluster.js';
import { VitrailError } from '../errors/errors.js';
import { nvidiaGpusPresent } from '../kernels/gpu-presence.js';
import { surveyGpus, THIS_MACHINE } from '../nn/engine/gpus.js';
import type { RunConfig } from '../run/config/schema.js';
import { coordinated, requireStartOf, type Coordination } from './coordinated-run.js';
import { eventStream } from './event-stream.js';
import { fetchWeights } from './fetched-weights.js';
import { withMicroBatch } from './local/fitting-micro-batch.js';
import { checkLocalDevices, deviceOfWorker } from './local/local-devices.js';
import { localPlacement } from './local/local-placement.js';
import { LocalWorkers } from './local/local-workers.js';
import { isOptionGiven, resolveRunOptions, type RunOptions } from './run-options.js';
import type { TrainControl } from './run-control.js';
import type { TrainingEvent } from './training-event.js';

/** How long workers may take to end by themselves. */
const WORKER_GRACE_MS = 5000;

type Watch = Pick<Coordination, 'tell' | 'signal'> & Pick<TrainControl, 'kill'>;

const usableGpus = (): readonly number[] => surveyGpus().usable;

/** Trains with `config.workers` processes, none of which outlives this call. */
async function withWorkers(config: RunConfig, { tell, signal, kill }: Watch): Promise<void> {
  const started: { workers?: LocalWorkers } = {};
  const killAll = (): void => started.workers?.kill();
  kill?.addEventListener('abort', killAll);
  const onListening = (coordinator: string, cluster: Cluster): void => {
    mkdirSync(config.out, { recursive: true });
    started.workers = new LocalWorkers({
      count: config.workers,
      coordinator,
      threads: config.threads,
      deviceOf: (index) => deviceOfWorker(index, config.devices, config.backend, usableGpus),
      logLevel: config.logLevel,
      logDir: config.out,
      maxRestarts: config.maxRestarts,
      onExit: (pid, reason, left) => cluster.processEnded(pid, reason, left),
      onRestart: (text) => tell({ kind: 'note', level: 'warning', text }),
    });
    if (kill?.aborted === true) killAll();
  };
  try {
    await coordinated(config, { tell, signal, ownWorkers: true, onListening });
  } finally {
    await started.workers?.stop(WORKER_GRACE_MS);
    kill?.removeEventListener('abort', killAll);
  }
}

async function trainHere(given: RunOptions, watch: Watch): Promise<void> {
  const { tell } = watch;
  await fetchWeights(given, watch);
  const options = await withMicroBatch(given, watch);
  const config = await resolveRunOptions(options);
  requireStartOf(options, config);
  const warning = checkLocalDevices(config, THIS_MACHINE, nvidiaGpusPresent());
  if (warning !== null) tell({ kind: 'note', level: 'warning', text: `warning: ${warning}` });
  const { workers, threads, reason } = localPlacement(config, await isOptionGiven('workers', options));
  tell({ kind: 'placement', workers, threads, reason });
  if (workers === config.workers) return withWorkers(config, watch);
  try {
    await withWorkers(await resolveRunOptions({ ...options, workers }), watch);
  } catch (error) {
    // Only after the images are counted is it known whether there are fewer than a batch.
    if (!(error instanceof VitrailError) || error.code !== 'TOO_MANY_WORKERS') throw error;
    tell({ kind: 'note', level: 'info', text: `1 worker: there are too few images for ${workers}` });
    await withWorkers(config, watch);
  }
}

/**
 * Trains on this machine. Without `options.workers` it starts one worker process for each GPU or, without GPUs, one whose
 * threads use all processors. Nothing happens before the first event is asked for. Leaving the loop stops the run and
 * waits for its end, as aborting `control.signal` does, with a checkpoint of the last committed step. The run does not
 * wait for a slow reader. When the loop has ended, no process and no timer is left. Signals are not handled.
 * @returns events, the last of which is `end`
 * @throws VitrailError, while the events are read; the newest checkpoint is kept
 */
export function train(
  options: RunOptions,
  { signal, kill }: TrainControl = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  return eventStream(signal, async (tell, stop) => trainHere(options, { tell, signal: stop, kill }));
}
