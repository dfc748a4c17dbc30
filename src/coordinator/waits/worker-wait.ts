/** Waits for workers: a step needs enough of them, and one that holds the state. */
import type { RunConfig } from '../../run/config/schema.js';
import { coded } from '../../errors/errors.js';
import type { Cluster } from '../cluster.js';
import type { Member } from '../members/membership.js';
import type { StepRound } from '../step/step-round.js';
import { counted } from '../../errors/wording.js';

export interface WorkerWaitServices {
  readonly cluster: Cluster;
  readonly config: RunConfig;
  /** True ends the wait. */
  readonly interrupted: () => boolean;
}

/**
 * Waits until a round of `step` can be planned.
 * @param previous the last round of this step; null between steps
 * @returns false when interrupted, or when a worker wants to leave between steps
 * @throws STATE_LOST, WORKERS_MISSING
 */
export async function waitForWorkers(
  { cluster, config, interrupted }: WorkerWaitServices,
  step: number,
  previous: StepRound | null,
): Promise<boolean> {
  const expected = config.minWorkers ?? 1;
  // A worker that wants to leave takes no part in a new step, so its state does not help either.
  const takers = (): readonly Member[] =>
    cluster.ready.filter(({ worker, leaving }) => !leaving || previous?.ring.includes(worker) === true);
  const able = (): number => takers().length;
  const held = (): boolean => takers().some(({ state }) => state === step);
  const enough = (): boolean => held() && able() >= expected;
  const called = (): boolean =>
    interrupted() || (previous === null && cluster.members.some((m) => m.leaving));
  if (enough()) return true;

  const now = `${able()} of at least ${counted(expected, 'worker')}`;
  const text = `step ${step} waits: ${now}${held() ? '' : ', none of them with the state'}`;
  cluster.note({ kind: 'waiting', text });
  const startMs = cluster.clock.now();
  const waitedMs = (): number => Math.round(cluster.clock.now() - startMs);
  // A worker whose connection broke comes back with its state; one that has died does not.
  const returning = await cluster.until(() => held() || called(), config.heartbeatTimeoutMs);
  if (returning === 'late') throw coded('STATE_LOST', { step });
  const end = await cluster.until(
    () => enough() || !held() || called(),
    Math.max(0, config.joinTimeoutMs - waitedMs()),
  );
  if (end === 'late') {
    throw coded('WORKERS_MISSING', { joined: able(), expected, waitedMs: waitedMs() });
  }
  if (enough()) return true;
  return called() ? false : waitForWorkers({ cluster, config, interrupted }, step, previous);
}
