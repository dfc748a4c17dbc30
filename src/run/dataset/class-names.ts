/** Compares the class names of splits, and finds names that only look the same. */
import type { FindingTally } from './findings.js';
import { listing } from './listing.js';
import { pathText } from './path-text.js';

/**
 * A class with fewer images is reported. One of nine test images is 11 % of the class's accuracy, and the
 * paper's smallest transfer task, VTAB-1k, has 10 training images for each of 100 classes.
 */
const FEW_IMAGES = 10;

const MOST_NAMED = 5;

/** Equal for names that differ in Unicode normal form, compatibility characters, case or outer spaces only. */
const look = (name: string): string => name.normalize('NFKC').toLowerCase().trim();

/** A name with the code points that distinguish it from its double. */
function spelled(name: string): string {
  const points = Array.from(name, (character) =>
    /^[!-~ ]$/.test(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return points.join('');
}

/** All differences between the classes of another split and those of train; null if there are none. */
export function differenceOfClasses(classes: readonly string[], train: readonly string[]): string | null {
  const [here, there] = [new Set(classes), new Set(train)];
  const extra = classes.filter((name) => !there.has(name));
  const doubles = new Map(extra.map((name) => [look(name), name]));
  const said = new Set<string>();
  const words: string[] = [];
  for (const name of train) {
    if (here.has(name)) continue;
    const double = doubles.get(look(name));
    if (double === undefined) {
      words.push(`"${pathText(name)}" is missing`);
    } else {
      said.add(double);
      words.push(`"${pathText(name)}" is spelled ${spelled(name)} in train and ${spelled(double)} here`);
    }
  }
  for (const name of extra) if (!said.has(name)) words.push(`"${pathText(name)}" is not in train`);
  return words.length === 0 ? null : listing(words, MOST_NAMED);
}

/** Adds the pairs of `classes` that look alike. */
export function findAlikeClasses(classes: readonly string[], tally: FindingTally): void {
  const seen = new Map<string, string>();
  for (const name of classes) {
    const double = seen.get(look(name));
    if (double !== undefined) tally.add('alike-classes', `${spelled(double)} and ${spelled(name)}`);
    seen.set(look(name), name);
  }
}

/** Adds the classes of a split that have few images; `counts` are by label. */
export function findFewImages(
  split: string,
  classes: readonly string[],
  counts: readonly number[],
  tally: FindingTally,
): void {
  for (const [label, name] of classes.entries()) {
    const count = counts[label] ?? 0;
    if (count > 0 && count < FEW_IMAGES)
      tally.add('few-images', `${pathText(`${split}/${name}`)} (${count})`);
  }
}

/** Adds the class that most images of a split belong to, if it is far from an equal share; `counts` are by label. */
export function findDominantClass(
  split: string,
  classes: readonly string[],
  counts: readonly number[],
  tally: FindingTally,
): void {
  const images = counts.reduce((sum, count) => sum + count, 0);
  const most = counts.reduce((before, count) => Math.max(before, count), 0);
  // With two classes, one has to have 80 % of the images; with many classes, a little more than half.
  if (most <= images * (0.5 + 0.6 / classes.length)) return;
  const name = classes[counts.indexOf(most)] ?? '';
  tally.add(
    'dominant-class',
    `${pathText(`${split}/${name}`)} (${((100 * most) / images).toFixed(1)} %: an answer that is always ${pathText(name)} is right as often)`,
  );
}
