/** Compares what all workers hold. */
import { coded, type VitrailError } from '../../errors/errors.js';
import type { Cluster } from '../cluster.js';
import { partDigests, stateVerdict, type PartDigests } from '../step/state-agreement.js';

export interface AuditOptions {
  readonly step: number;
  /**
   * The newest step after which all workers were known to hold the right state, so gradients up to it are
   * right.
   */
  readonly agreed: number;
  readonly timeoutMs: number;
  /** The digests that the parts must have, where they are known. */
  readonly expected?: PartDigests;
}

/**
 * Workers were outvoted after their gradients had gone into steps, so what the majority holds is wrong as
 * well.
 */
export class StateDiscredited extends Error {
  readonly reason: VitrailError;
  /**
   * Workers to expel, but only after the rollback is in the journal: until then a restarted coordinator must
   * find them again.
   */
  readonly odd: readonly number[];

  constructor(reason: VitrailError, odd: readonly number[]) {
    super(reason.message);
    this.reason = reason;
    this.odd = odd;
  }
}

/**
 * The digests of the weights and moments that all workers hold after `step` committed steps. If no step was
 * committed since all agreed, a worker that is outvoted is expelled, and has no state when it comes back. If
 * there is no majority, no worker is trusted. Must not be called while a commit is under way.
 * @throws StateDiscredited, STATE_MISMATCH, STATE_LOST, STEP_TIMEOUT
 */
export async function agreedState(
  cluster: Cluster,
  { step, agreed, timeoutMs, expected }: AuditOptions,
): Promise<PartDigests> {
  for (;;) {
    const from = await appliedBy(cluster, step, timeoutMs);
    for (const worker of from) cluster.send(worker, 'digestRequest', { step });
    const { answers, lost } = await cluster.waitForAnswers({
      name: 'stateDigest',
      step,
      from,
      matches: (body) => body.step === step,
      timeoutMs,
    });
    if (lost.length > 0) continue;
    const held = new Map([...answers].map(([worker, body]) => [worker, partDigests(body)]));
    const verdict = stateVerdict(step, held, expected);
    if (verdict === null) return [...held.values()][0] ?? new Map<string, string>();
    const { error, odd } = verdict;
    if (odd.length === 0) throw error;
    if (step > agreed) {
      throw new StateDiscredited(coded('STATE_DISCREDITED', { step, agreed, problem: error.message }), odd);
    }
    for (const worker of odd) cluster.expel(worker, error.message);
  }
}

/**
 * Waits until all workers that were told the last commit have applied it. @throws STATE_LOST, STEP_TIMEOUT
 */
async function appliedBy(cluster: Cluster, step: number, timeoutMs: number): Promise<readonly number[]> {
  for (;;) {
    const from = await cluster.someHolders(step);
    const late = cluster.ready.filter((m) => from.includes(m.worker) && m.applied < step);
    if (late.length === 0) return from;
    await cluster.waitForAnswers({
      name: 'updateDone',
      step: step - 1,
      from: late.map((m) => m.worker),
      matches: (body) => body.step === step - 1,
      timeoutMs,
    });
  }
}
