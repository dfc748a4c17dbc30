/** Parses whole numbers of flags that are not options of a run. */
import { InvalidArgumentError } from 'commander';

/** A parser for commander that accepts whole numbers from `min` to `max`, and an error for anything else. */
export function wholeNumber(min: number, max = 2 ** 31 - 1): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It has to be a whole number from ${min} to ${max}.`);
  };
}
