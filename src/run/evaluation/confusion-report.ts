/**
 * Summarises a confusion matrix for people, in a size that does not grow with the square of the number of
 * classes. Pure.
 */
import type { Confusion, ConfusionCell } from './confusion.js';

/** The whole matrix is reported up to this many classes. */
const MOST_CLASSES = 100;
/** How many pairs and classes are listed. */
const LISTED = 20;

export interface Mistake {
  /** Names of the true class and of the predicted one. */
  readonly actual: string;
  readonly predicted: string;
  /** Images. */
  readonly count: number;
}

export interface ClassFigures {
  readonly class: string;
  /** Images of the class. */
  readonly images: number;
  /** The share of these that the model recognised. */
  readonly recall: number;
  /** The share of right ones among all images that the model took for the class; null if there are none. */
  readonly precision: number | null;
}

export interface ConfusionReport {
  /** confusion[actual][predicted], counts; null for more than a hundred classes. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** The most frequent pairs first; if two are equally frequent, the earlier class first. */
  readonly mistakes: readonly Mistake[];
  /**
   * Classes with the lowest recall first; if two are equal, the one with more images, then the earlier one.
   */
  readonly weakestClasses: readonly ClassFigures[];
}

/** @param names of the classes */
export function confusionReport(confusion: Confusion, names: readonly string[]): ConfusionReport {
  const mistakes = mostFrequentMistakes(confusion).map(({ actual, predicted, count }) => ({
    actual: names[actual]!,
    predicted: names[predicted]!,
    count,
  }));
  return {
    confusion: confusion.classes <= MOST_CLASSES ? matrixOf(confusion) : null,
    mistakes,
    weakestClasses: weakest(confusion, names),
  };
}

function matrixOf(confusion: Confusion): number[][] {
  const { classes } = confusion;
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { actual, predicted, count } of confusion.cells()) matrix[actual]![predicted] = count;
  return matrix;
}

/** Works in one pass, because there may be as many different mistakes as there are images. */
function mostFrequentMistakes(confusion: Confusion): readonly ConfusionCell[] {
  const top: ConfusionCell[] = [];
  for (const cell of confusion.cells()) {
    if (cell.actual === cell.predicted) continue;
    if (top.length === LISTED && cell.count <= top[LISTED - 1]!.count) continue;
    const at = top.findIndex(({ count }) => count < cell.count);
    top.splice(at < 0 ? top.length : at, 0, cell);
    top.length = Math.min(top.length, LISTED);
  }
  return top;
}

function weakest(confusion: Confusion, names: readonly string[]): readonly ClassFigures[] {
  const { images, correct, predicted } = confusion.classCounts();
  const recall = (i: number): number => correct[i]! / images[i]!;
  return names
    .map((_, i) => i)
    .filter((i) => correct[i]! < images[i]!)
    .sort((a, b) => recall(a) - recall(b) || images[b]! - images[a]! || a - b)
    .slice(0, LISTED)
    .map((i) => ({
      class: names[i]!,
      images: images[i]!,
      recall: recall(i),
      precision: predicted[i] === 0 ? null : correct[i]! / predicted[i]!,
    }));
}
