/**
 * The list of files to leave out. Each line has one path, relative to the data folder, in quotes if a line
 * could not hold it otherwise (`path-text.ts`). Lines that start with '#' are comments.
 */
import { parsePathText, pathText } from './path-text.js';

/** The paths of an exclude list's text. */
export function parseExcludeList(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parsePathText);
}

/** The lines of an exclude list; each path comes after a comment that holds its reason. */
export function* formatExcludeList(
  entries: Iterable<{ readonly path: string; readonly reason: string }>,
): Generator<string> {
  yield '# Images to leave out: vitrail train --exclude THIS_FILE\n';
  for (const { path, reason } of entries) yield `# ${reason.replaceAll(/\s+/g, ' ')}\n${pathText(path)}\n`;
}

/** The files and folders to leave out, and which of them the scan has found. */
export class Exclusion {
  readonly #paths: ReadonlySet<string>;
  readonly #unmet: Set<string>;

  constructor(paths: readonly string[] = []) {
    this.#paths = new Set(paths);
    this.#unmet = new Set(paths);
  }

  /** Whether the list names `path`. */
  names(path: string): boolean {
    if (this.#paths.size === 0) return false;
    this.#unmet.delete(path);
    return this.#paths.has(path);
  }

  paths(): string[] {
    return [...this.#paths];
  }

  /** The listed paths that the scan did not find. */
  unmet(): string[] {
    return [...this.#unmet];
  }
}
