/** Writes a list as part of a sentence, shortened if it is too long. */

/** The first `most` of `items`, and the number of the others, of `count` in all. */
export function listing(items: readonly string[], most: number, count = items.length): string {
  const shown = items.slice(0, most);
  const left = count - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} more` : shown.join(', ');
}
