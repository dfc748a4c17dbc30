/** Names of options: camelCase in code, kebab-case in flags, YAML and messages. */
import { runConfigSchema, type RunConfigKey } from './schema.js';

/** All options, in the order of the schema. */
export const OPTION_KEYS = Object.keys(runConfigSchema.shape) as readonly RunConfigKey[];

export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

const BY_KEBAB: ReadonlyMap<string, RunConfigKey> = new Map(OPTION_KEYS.map((key) => [kebab(key), key]));

/** The option called `name` in flags and YAML. */
export function optionOfKebab(name: string): RunConfigKey | undefined {
  return BY_KEBAB.get(name);
}

/** Insertions, deletions and replacements that turn `a` into `b` (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The one of `names` that is nearest to `given`; the first of several. */
export function nearestName(given: string, names: readonly string[]): string {
  const distances = names.map((name) => editDistance(kebab(given).toLowerCase(), name));
  return names[distances.indexOf(Math.min(...distances))] ?? '';
}

/** The option that was probably meant by an unknown name, in kebab-case. */
export function nearestOption(given: string): string {
  return nearestName(given, [...BY_KEBAB.keys()]);
}
