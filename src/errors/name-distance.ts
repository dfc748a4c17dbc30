/** Finds the name that was probably meant by a misspelt one. */

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
  const distances = names.map((name) => editDistance(given.toLowerCase(), name));
  return names[distances.indexOf(Math.min(...distances))] ?? '';
}
