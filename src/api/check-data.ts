/** `checkData` and `writeExclusion`: decodes every image of a data set, and lists those that are broken. */
import type { Finding } from '../run/dataset/findings.js';
import type { DataCheck, DataCheckOptions } from '../worker/data/data-check.js';
import type { SplitCheck, Spread } from '../worker/data/split-check.js';

export type { DataCheck, DataCheckOptions, Finding, SplitCheck, Spread };

// sharp takes long to load, and programs that only train do not need it in this thread.

/**
 * Decodes every image of the data set in `folder`. Broken images and unfit classes are results, not errors.
 * @throws VitrailError: DATA_*; the reason of an aborted signal
 */
export async function checkData(folder: string, options: DataCheckOptions = {}): Promise<DataCheck> {
  const { checkDataset } = await import('../worker/data/data-check.js');
  return checkDataset(folder, options);
}

/**
 * Writes the broken images of `check` to `path`, each with its reason, for the option `exclude`.
 * @param before an exclude list whose images the new list leaves out as well
 * @throws VitrailError: DATA_UNREADABLE, DATA_WRITE_FAILED
 */
export async function writeExclusion(
  path: string,
  check: Pick<DataCheck, 'broken'>,
  before: string | null = null,
): Promise<void> {
  const { excludedBefore, writeExcludeList } = await import('../worker/data/exclude-file.js');
  await writeExcludeList(path, [...(await excludedBefore(before)), ...check.broken]);
}
