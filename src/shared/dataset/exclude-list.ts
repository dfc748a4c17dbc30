/** The list of images to leave out: one path a line, relative to the data folder; lines that start with '#' are comments. */
import type { ManifestSample } from './manifest.js';

/** The paths of an exclude list's text. */
export function parseExcludeList(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The text of an exclude list; each path comes after a comment that holds its reason. */
export function formatExcludeList(entries: readonly { path: string; reason: string }[]): string {
  const lines = entries.map(({ path, reason }) => `# ${reason.replaceAll(/\s+/g, ' ')}\n${path}\n`);
  return `# Images to leave out: vitrail train --exclude THIS_FILE\n${lines.join('')}`;
}

/** `samples` without the listed paths, and the listed paths that no sample has. */
export function excludeSamples(
  samples: readonly ManifestSample[],
  paths: readonly string[],
): { readonly kept: ManifestSample[]; readonly unknown: string[] } {
  const listed = new Set(paths);
  const kept = samples.filter(({ path }) => !listed.has(path));
  for (const { path } of samples) listed.delete(path);
  return { kept, unknown: [...listed] };
}
