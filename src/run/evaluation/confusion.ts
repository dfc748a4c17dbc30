/**
 * A confusion matrix: which class the model took for which, counted exactly. Only pairs that occurred take
 * memory. Pure.
 */

/** How many images of class `actual` the model took for class `predicted`; both are positions in the class list. */
export interface ConfusionCell {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
}

/** Counts of each class, by its position in the class list. */
export interface ClassCounts {
  /** Images of the class. */
  readonly images: Uint32Array;
  /** Images of the class that the model took for it. */
  readonly correct: Uint32Array;
  /** Images of any class that the model took for this one. */
  readonly predicted: Uint32Array;
}

export class Confusion {
  readonly classes: number;
  /**
   * actual * classes + predicted of every pair that occurred, rising. Exact below 2^53, which is enough for
   * 94 million classes.
   */
  readonly #keys: Float64Array;
  readonly #counts: Uint32Array;

  /** @param labels the true classes of the images, and `predictions` the model's, in the same order */
  constructor(classes: number, labels: ArrayLike<number>, predictions: ArrayLike<number>) {
    // Sorted numbers and not a Map, because a Map holds at most 2^24 keys. The order of the images makes no
    // difference.
    const sorted = new Float64Array(labels.length);
    for (let i = 0; i < sorted.length; i++) sorted[i] = labels[i]! * classes + predictions[i]!;
    sorted.sort();
    let pairs = 0;
    const counts = new Uint32Array(sorted.length);
    for (const [i, key] of sorted.entries()) {
      if (i === 0 || key !== sorted[pairs - 1]) sorted[pairs++] = key;
      counts[pairs - 1]!++;
    }
    this.classes = classes;
    this.#keys = sorted.slice(0, pairs);
    this.#counts = counts.slice(0, pairs);
  }

  /** The pairs that occurred, by true class, then by predicted class. */
  *cells(): Generator<ConfusionCell> {
    const { classes } = this;
    for (const [i, key] of this.#keys.entries()) {
      const actual = Math.floor(key / classes);
      yield { actual, predicted: key - actual * classes, count: this.#counts[i]! };
    }
  }

  classCounts(): ClassCounts {
    const images = new Uint32Array(this.classes);
    const correct = new Uint32Array(this.classes);
    const predicted = new Uint32Array(this.classes);
    for (const cell of this.cells()) {
      images[cell.actual]! += cell.count;
      predicted[cell.predicted]! += cell.count;
      if (cell.actual === cell.predicted) correct[cell.actual] = cell.count;
    }
    return { images, correct, predicted };
  }
}
