/** Writes the broken files as an exclude list. */
import { stat } from 'node:fs/promises';
import { writeFileAtomic, writeSynced } from '../../host/atomic-file.js';
import { nodeDisk } from '../../host/disk.js';
import { thisProcess } from '../../host/process.js';
import { readExclusion } from '../../run/dataset/dataset-survey.js';
import { formatExcludeList } from '../../run/dataset/exclude-list.js';
import type { BrokenFile } from '../../run/dataset/folder-entries.js';
import { coded, reasonOf } from '../../errors/errors.js';

const LINES_AT_ONCE = 1000;

/** `lines` in larger pieces, for fewer writes. */
function* pieces(lines: Iterable<string>): Generator<string> {
  let piece: string[] = [];
  for (const line of lines) {
    if (piece.push(line) < LINES_AT_ONCE) continue;
    yield piece.join('');
    piece = [];
  }
  yield piece.join('');
}

/** The paths of the list `path`, as entries of a new list. @throws DATA_UNREADABLE */
export async function excludedBefore(path: string | null): Promise<BrokenFile[]> {
  const paths = (await readExclusion(path)).paths();
  return paths.map((listed) => ({ path: listed, reason: `listed in ${String(path)}` }));
}

/** Writes `broken` to `path`, each after its reason. @throws DATA_WRITE_FAILED */
export async function writeExcludeList(path: string, broken: Iterable<BrokenFile>): Promise<void> {
  try {
    const target = await stat(path).catch(() => null);
    // A pipe or /dev/stdout is written to directly. An atomic write would put a file in its place.
    if (target !== null && !target.isFile())
      await writeSynced(nodeDisk, path, pieces(formatExcludeList(broken)));
    else
      await writeFileAtomic(
        { disk: nodeDisk, process: thisProcess },
        path,
        pieces(formatExcludeList(broken)),
      );
  } catch (thrown) {
    throw coded('DATA_WRITE_FAILED', { path, reason: reasonOf(thrown) });
  }
}
