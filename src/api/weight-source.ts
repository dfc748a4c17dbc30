/** Finds out which weights a run is to start from, and what its folder knows of them already. */
import type { OptionValues, StoredOptions } from '../run/config/config.js';
import { folderOf, resumption, storedOptions, withAbsoluteInitFrom } from './resumed-run.js';

export interface WeightSource {
  /** As `--init-from` names it. */
  readonly from: string;
  /** The commit that is noted for a name of a hub; null if none is. */
  readonly commit: string | null;
  /** The run in the folder, if it started from the same; null for a new run. */
  readonly run: StoredOptions | null;
}

function commitIn(values: OptionValues): string | null {
  return typeof values.initCommit === 'string' && values.initCommit !== 'none' ? values.initCommit : null;
}

function absolute({ initFrom }: OptionValues): unknown {
  return withAbsoluteInitFrom({ initFrom }).initFrom;
}

/**
 * The weights that `given` names, else the file, else the run that is resumed; null if the run starts from its seed. If a
 * coordinator is started again with the command of before, the run in its folder counts as well.
 * @throws CONFIG_*
 */
export async function weightSource(given: OptionValues, file: OptionValues): Promise<WeightSource | null> {
  const resumed = resumption(given, file);
  const named = given.initFrom ?? file.initFrom;
  if (resumed === null && named === undefined) return null;
  const stored = await storedOptions(resumed ?? folderOf(given, file));
  const from = named ?? stored?.values.initFrom;
  if (typeof from !== 'string' || from === 'none') return null;
  const run = stored !== null && absolute(stored.values) === absolute({ initFrom: from }) ? stored : null;
  const noted = [given, file.initFrom === from ? file : {}, run?.values ?? {}];
  return { from, commit: noted.map(commitIn).find((commit) => commit !== null) ?? null, run };
}
