/** Which runs are the same: what may differ between a run that was stored and the one that goes on with it. */
import { coded } from '../../errors/errors.js';
import { isProlongationOf } from '../schedule/run-length.js';
import { kebab } from './kebab-case.js';
import { OPTION_KEYS } from './option-name.js';
import { optionMeta, type RunConfig } from './schema.js';

export interface IdentityDifference {
  /** In kebab-case. */
  readonly key: string;
  readonly stored: string;
  readonly given: string;
}

/**
 * The first option that changes the weights and differs between a stored run and the one given; null for none.
 *
 * `epochs` and `steps` count under every schedule: they are the horizon of the decay. A run that is made longer says so
 * by a prolongation, which may be added as long as the run has not come further.
 * @param step how far the stored run has come, null where that is not known
 */
export function identityDifference(
  stored: RunConfig,
  given: RunConfig,
  step: number | null = null,
): IdentityDifference | null {
  for (const key of OPTION_KEYS) {
    if (!optionMeta(key).identity || stored[key] === given[key]) continue;
    if (key === 'prolonged' && step !== null && isProlongationOf(stored[key], given[key], step)) continue;
    return { key: kebab(key), stored: String(stored[key]), given: String(given[key]) };
  }
  return null;
}

/** @param path of the run folder. @throws RUN_LENGTH_CHANGED, RUN_CONFIG_CHANGED */
export function requireSameRun(
  path: string,
  stored: RunConfig,
  given: RunConfig,
  step: number | null = null,
): void {
  const difference = identityDifference(stored, given, step);
  if (difference === null) return;
  const { key } = difference;
  const isLength = key === 'epochs' || key === 'steps' || key === 'prolonged';
  throw coded(isLength ? 'RUN_LENGTH_CHANGED' : 'RUN_CONFIG_CHANGED', { path, ...difference });
}
