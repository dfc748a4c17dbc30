/** Writes numbers for people: "1 worker", "2 workers", and no more digits than are useful. */

/** Of the words that we use, only `epoch` ends in ch and takes a plain s. */
const TAKES_ES = /(?:s|x|sh|[^o]ch)$/;

/** "1 worker", "2 workers", "0 batches". */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun}${TAKES_ES.test(noun) ? 'es' : 's'}`;
}

/** "2500 images/s", "3.2 images/s", "0.46 images/s": two digits at least, whatever the speed. */
export function imagesPerSecond(rate: number): string {
  const text = rate >= 9.95 || rate === 0 ? rate.toFixed(0) : rate.toPrecision(2);
  return `${text.includes('e') ? rate.toFixed(4) : text} images/s`;
}

/** A measured value with six digits at most: 0.473333, 2, 1e-7. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}
