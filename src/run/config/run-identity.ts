/**
 * Decides whether two configurations are of the same run: the options that may differ when a stored run is
 * resumed.
 */
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
 * The first option that changes the weights and differs between a stored run and the given one; null if none does.
 *
 * `epochs` and `steps` count under every schedule, because the decay depends on them. To make a run longer, a prolongation
 * is added, which must not begin before the step that the run has reached. What is not known of the weights that a run
 * started from, because a command does not say it or an older version did not note it, is no difference.
 * @param step how far the stored run has come; null if that is not known
 */
export function identityDifference(
  stored: RunConfig,
  given: RunConfig,
  step: number | null = null,
): IdentityDifference | null {
  for (const key of OPTION_KEYS) {
    if (!optionMeta(key).identity || stored[key] === given[key]) continue;
    if (key === 'initDigest' && (stored[key] === null || given[key] === null)) continue;
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
