/** The format of the run folder's `summary.json`: what was run, how it ended, what came out. */
import { join } from 'node:path';
import type { Disk } from '../../host/disk.js';
import type { RunConfig } from '../config/schema.js';
import type { EvaluatedSplit } from '../dataset/manifest.js';
import type { ConfusionReport } from '../evaluation/confusion-report.js';
import { accuracy, meanLoss, type BestResult, type Totals } from '../journal/run-state.js';

export const SUMMARY_FILE = 'summary.json';

/** Figures of images. */
export interface SplitFigures {
  /** Mean cross-entropy an image, in nats. */
  readonly loss: number;
  /** Top-1, a share from 0 to 1. */
  readonly accuracy: number;
  readonly samples: number;
}

/** The figures that follow from `totals`. */
export function figuresOf(totals: Totals): SplitFigures {
  return { loss: meanLoss(totals), accuracy: accuracy(totals), samples: totals.samples };
}

export interface BestSummary extends BestResult {
  /** The images by which it was chosen; `accuracy` and `loss` are figures of these. */
  readonly chosenBy: EvaluatedSplit;
  /** The figures of the test images, if nothing was chosen by them. */
  readonly test: SplitFigures | null;
}

/**
 * The fields of the confusion matrix are of the last evaluation; they are null or empty if there was none.
 */
export interface RunSummary extends ConfusionReport {
  readonly reason: string;
  readonly completed: boolean;
  readonly config: RunConfig;
  readonly classes: readonly string[];
  readonly parameters: number;
  readonly steps: number;
  readonly epochs: number;
  /** The last evaluation of the validation images; null if there are none. */
  readonly val: SplitFigures | null;
  /** The test images with the last weights. */
  readonly test: SplitFigures | null;
  readonly best: BestSummary | null;
  /** Resumptions added up. */
  readonly wallSeconds: number;
  /** Training images a second, all time included. */
  readonly imagesPerSecond: number;
  readonly checkpoint: string | null;
  /** SHA-256 over all weights of the newest checkpoint since the last start. */
  readonly weightDigest: string | null;
}

/** The summary in a run folder; null if there is none. */
export async function readSummary(disk: Disk, runDir: string): Promise<RunSummary | null> {
  try {
    return JSON.parse(await disk.readText(join(runDir, SUMMARY_FILE))) as RunSummary;
  } catch {
    return null;
  }
}
