/** A list in a sentence, cut where it would get too long. */

/** The first `most` of `items`, and how many of `count` are left. */
export function listing(items: readonly string[], most: number, count = items.length): string {
  const shown = items.slice(0, most);
  const left = count - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} more` : shown.join(', ');
}
