/** Asks all workers what they hold, and holds them to it. */
import type { Cluster } from './cluster.js';
import { partDigests, stateDisagreement, type PartDigests } from './state-agreement.js';

/**
 * The digests of the weights and moments that all workers hold after `step` committed steps.
 * To be called when every worker has applied them and no commit is under way.
 * @param expected what each part has to be, where that is known
 * @throws STATE_MISMATCH, WORKER_LOST, STEP_TIMEOUT
 */
export async function agreedState(
  cluster: Cluster,
  step: number,
  timeoutMs: number,
  expected?: PartDigests,
): Promise<PartDigests> {
  cluster.broadcast('digestRequest', { step });
  const answers = await cluster.collect('stateDigest', step, (body) => body.step === step, timeoutMs);
  const held = new Map([...answers].map(([worker, body]) => [worker, partDigests(body)]));
  const error = stateDisagreement(step, held, expected);
  if (error !== null) throw error;
  return [...held.values()][0] ?? new Map<string, string>();
}
