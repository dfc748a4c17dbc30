/** A coordinator in this process whose events are told: what `train` and `runCoordinator` have in common. */
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
  /** All workers are children of this process. */
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

/** @throws CONFIG_MISSING where a preset that fine-tunes is given nothing to fine-tune */
export function requireStartOf({ preset }: UncheckedOptions, { initFrom }: RunConfig): void {
  if (preset?.startsWith('table4-') !== true || initFrom !== null) return;
  throw coded('CONFIG_MISSING', { key: 'init-from', expected: `a checkpoint: ${preset} fine-tunes one` });
}

/** Runs `config` to its end and tells it, the end included. @throws a coded error; the newest checkpoint is kept */
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
      // Also for local workers: others may join, and are told what these use.
      onListening(coordinator, cluster);
    },
  });
  tell({ kind: 'end', summary });
}
