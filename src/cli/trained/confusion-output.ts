/** Writes a whole confusion matrix to the file that `evaluate --confusion` names. */
import { dirname, extname, resolve } from 'node:path';
import { makeFolders, writeFileAtomic } from '../../host/atomic-file.js';
import { nodeDisk } from '../../host/disk.js';
import { thisProcess } from '../../host/process.js';
import { coded, reasonOf } from '../../errors/errors.js';
import type { Confusion } from '../../run/evaluation/confusion.js';
import { confusionCsv, confusionNpy } from '../../run/evaluation/confusion-file.js';

/** Checks the file's name before the evaluation. @throws CONFIG_INVALID_VALUE if its extension is unknown */
export function checkConfusionPath(path: string): void {
  if (['.csv', '.npy'].includes(extname(path).toLowerCase())) return;
  throw coded('CONFIG_INVALID_VALUE', {
    key: 'confusion',
    value: JSON.stringify(path),
    problem: 'not a known kind of file',
    expected: 'a file that ends in .csv (the pairs that occurred) or .npy (the whole matrix)',
  });
}

/** @param classes their names. @throws DATA_WRITE_FAILED */
export async function writeConfusion(
  path: string,
  confusion: Confusion,
  classes: readonly string[],
): Promise<void> {
  const csv = extname(path).toLowerCase() === '.csv';
  try {
    await makeFolders(nodeDisk, dirname(resolve(path)));
    const content = csv ? confusionCsv(confusion, classes) : confusionNpy(confusion);
    await writeFileAtomic({ disk: nodeDisk, process: thisProcess }, path, content);
  } catch (thrown) {
    throw coded('DATA_WRITE_FAILED', { path, reason: reasonOf(thrown) });
  }
}
