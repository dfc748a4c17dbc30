/** The end of a run for people: figures, where the checkpoint is, the digest. */
import pc from 'picocolors';
import type { RunSummary } from '../coordinator/run-summary.js';
import { counted, imagesPerSecond } from '../shared/wording.js';

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

export function summaryText(summary: RunSummary): string {
  const { reason, steps, epochs, test, best, wallSeconds, checkpoint, weightDigest } = summary;
  const lines: [string, string][] = [
    ['ended', reason],
    [
      'trained',
      `${counted(steps, 'step')}, ${epochs.toFixed(2)} epochs, ${wallSeconds.toFixed(1)} s, ${imagesPerSecond(summary.imagesPerSecond)}`,
    ],
  ];
  if (test !== null)
    lines.push([
      'test',
      `top-1 ${percent(test.accuracy)}, loss ${test.loss.toFixed(4)}, ${counted(test.samples, 'image')}`,
    ]);
  if (best !== null)
    lines.push([
      'best',
      `top-1 ${percent(best.testAccuracy)} after epoch ${best.epoch + 1}; evaluate and predict use that checkpoint`,
    ]);
  if (checkpoint !== null) lines.push(['checkpoint', checkpoint]);
  if (weightDigest !== null) lines.push(['weights', `sha256 ${weightDigest}`]);
  return `${lines.map(([name, text]) => `${pc.dim(name.padEnd(10))} ${text}`).join('\n')}\n`;
}
