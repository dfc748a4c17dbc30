/** `runCoordinator`: plans and commits the steps of a run that workers join by themselves. */
import { coordinated, requireStartOf } from './coordinated-run.js';
import { eventStream } from './event-stream.js';
import { fetchWeights } from './fetched-weights.js';
import { withMicroBatch } from './local/fitting-micro-batch.js';
import type { RunControl } from './run-control.js';
import { resolveRunOptions, type RunOptions } from './run-options.js';
import type { TrainingEvent } from './training-event.js';

/**
 * Coordinates a run whose workers are started elsewhere, with `runWorker` or `vitrail worker`. It begins when
 * `options.workers` of them have joined. Nothing happens before the first event is asked for. Leaving the loop stops the run
 * and waits for its end, as aborting `control.signal` does. The run does not wait for a slow reader.
 * @returns events, the last of which is `end`
 * @throws VitrailError, while the events are read; the newest checkpoint is kept
 */
export function runCoordinator(
  options: RunOptions,
  { signal }: RunControl = {},
): AsyncGenerator<TrainingEvent, void, undefined> {
  return eventStream(signal, async (tell, stop) => {
    await fetchWeights(options, { tell });
    const config = await resolveRunOptions(await withMicroBatch(options, { tell, signal: stop }));
    requireStartOf(options, config);
    await coordinated(config, { tell, signal: stop, ownWorkers: false, onListening: () => undefined });
  });
}
