/** Parses shares of flags that are not options of a run. */
import { InvalidArgumentError } from 'commander';

/** A number from 0 to below 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value < 1)) {
    throw new InvalidArgumentError('It has to be a number from 0 to below 1.');
  }
  return value;
}
