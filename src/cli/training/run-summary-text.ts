/** The text at the end of a run: figures, the path of the checkpoint, the digest. */
import pc from 'picocolors';
import type { BestSummary, RunSummary, SplitFigures } from '../../run/folder/run-summary.js';
import { counted, imagesPerSecond } from '../../errors/wording.js';
import { sourceText } from './source-text.js';

export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(2)} %`;
}

function figures({ accuracy, loss, samples }: SplitFigures): string {
  return `top-1 ${percent(accuracy)}, loss ${loss.toFixed(4)}, ${counted(samples, 'image')}`;
}

/** If there are no images for an independent figure, the text says that the figure is optimistic. */
function bestText({ accuracy, epoch, chosenBy, test }: BestSummary): string {
  const choice = `top-1 ${percent(accuracy)} by ${chosenBy} after epoch ${epoch + 1}`;
  return test === null ? `${choice}, chosen by these images: optimistic` : choice;
}

export function summaryText(summary: RunSummary): string {
  const { reason, steps, epochs, val, test, best, wallSeconds, checkpoint, weightDigest } = summary;
  const lines: [string, string][] = [
    ['ended', reason],
    [
      'trained',
      `${counted(steps, 'step')}, ${epochs.toFixed(2)} epochs, ${wallSeconds.toFixed(1)} s, ${imagesPerSecond(summary.imagesPerSecond)}`,
    ],
  ];
  const source = sourceText(summary.config);
  if (source !== null) lines.push(['from', source]);
  if (val !== null) lines.push(['val', figures(val)]);
  if (best !== null) lines.push(['best', `${bestText(best)}; evaluate and predict use that checkpoint`]);
  if (best?.test != null) lines.push(['best, test', figures(best.test)]);
  if (test !== null) lines.push([best?.test == null ? 'test' : 'last, test', figures(test)]);
  if (checkpoint !== null) lines.push(['checkpoint', checkpoint]);
  if (weightDigest !== null) lines.push(['weights', `sha256 ${weightDigest}`]);
  return `${lines.map(([name, text]) => `${pc.dim(name.padEnd(10))} ${text}`).join('\n')}\n`;
}
