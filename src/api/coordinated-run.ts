/**
 * Runs a coordinator in this process and reports its events: the common part of `train` and `runCoordinator`.
 */
import { runCoordinator } from '../coordinator/coordinator.js';
import type { Cluster } from '../coordinator/cluster.js';
import { coded } from '../errors/errors.js';
import { systemHost } from '../host/host.js';
import { reachableAddress } from '../host/reachable-host.js';
import { hostForOthers } from '../host/whereabouts.js';
import type { RunConfig } from '../run/config/schema.js';
import { withAbsolutePaths } from './resumed-run.js';
import type { UncheckedOptions } from './run-options.js';
import { observerTelling } from './observer-events.js';
import type { TrainingEvent } from './training-event.js';

export interface Coordination {
  readonly tell: (event: TrainingEvent) => void;
  readonly signal: AbortSignal;
  /** Whether all workers are children of this process. */
  readonly ownWorkers: boolean;
  /** Workers may connect to `address`. */
  readonly onListening: (address: string, cluster: Cluster) => void;
}

/** Why a run was stopped, for people and for its summary. */
function stopReason({ reason }: AbortSignal): string {
  if (typeof reason === 'string' && reason !== '') return reason;
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? 'stopped: its time was over'
    : 'stopped by its caller';
}

/** @throws CONFIG_MISSING if a preset for fine-tuning is used without a checkpoint to fine-tune */
export function requireStartOf({ preset }: UncheckedOptions, { initFrom }: RunConfig): void {
  if (preset?.startsWith('table4-') !== true || initFrom !== null) return;
  throw coded('CONFIG_MISSING', { key: 'init-from', expected: `a checkpoint: ${preset} fine-tunes one` });
}

/**
 * Runs `config` to its end and reports all events, the end included. @throws a coded error; the newest
 * checkpoint is kept
 */
export async function coordinated(config: RunConfig, by: Coordination): Promise<void> {
  const { tell, signal, ownWorkers, onListening } = by;
  const summary = await runCoordinator(systemHost, withAbsolutePaths(config), {
    observer: observerTelling(tell),
    warn: (text) => tell({ kind: 'note', level: 'warning', text }),
    stopRequested: () => (signal.aborted ? stopReason(signal) : null),
    ownWorkers,
    onListening: (addresses, cluster) => {
      const host = hostForOthers(config.advertise);
      const coordinator = reachableAddress(addresses.workers, host);
      const metrics = `http://${reachableAddress(addresses.http, host)}/metrics`;
      tell({ kind: 'listening', coordinator, metrics, workers: config.workers });
      // Also for local workers, because others may join and are told the address.
      onListening(coordinator, cluster);
    },
  });
  tell({ kind: 'end', summary });
}
