/**
 * Finds the same picture under two labels, in two splits or twice in a class. The first misleads training,
 * and the second makes a test look too good.
 */
import { join } from 'node:path';
import type { FindingTally } from '../../run/dataset/findings.js';
import { listing } from '../../run/dataset/listing.js';
import type { ManifestSample } from '../../run/dataset/manifest.js';
import { pathText } from '../../run/dataset/path-text.js';
import { equalFiles } from './equal-files.js';

const MOST_OF_A_GROUP = 3;

/**
 * Adds a finding for every picture that is in several places. `splitAt` gives the split of a position. Files
 * that can no longer be read are added to `faults`, by position.
 */
export async function findRepeated(
  root: string,
  samples: readonly ManifestSample[],
  splitAt: (at: number) => number,
  faults: Map<number, string>,
  tally: FindingTally,
): Promise<void> {
  const files = samples.map(({ path, bytes }) => ({ path: join(root, path), bytes }));
  const groups = await equalFiles(files, (at, reason) => faults.set(at, reason));
  for (const group of groups.map((all) => all.filter((at) => !faults.has(at)))) {
    if (group.length < 2) continue;
    const paths = group.slice(0, MOST_OF_A_GROUP).map((at) => pathText(samples[at]!.path));
    const example = listing(paths, MOST_OF_A_GROUP, group.length).replaceAll(', ', ' = ');
    const labels = new Set(group.map((at) => samples[at]!.label));
    const splits = new Set(group.map(splitAt));
    if (labels.size > 1) tally.add('two-labels', example);
    if (splits.size > 1) tally.add('two-splits', example);
    if (labels.size === 1 && splits.size === 1) tally.add('twice-in-class', example);
  }
}
