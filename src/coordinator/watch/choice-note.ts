/** By which images the best checkpoint is chosen, and whether others are left to test it. Pure. */
import type { RunConfig } from '../../run/config/schema.js';
import { choosingSplit, hasFinalTest, type Manifest } from '../../run/dataset/manifest.js';
import { coded } from '../../errors/errors.js';

/**
 * What the user should know of it before the run starts, null where all is as it should be.
 * @throws CONFIG_INVALID_VALUE where early stopping would watch images that are kept for the end
 */
export function choiceNote(
  { earlyStopMetric, earlyStopPatience }: RunConfig,
  manifest: Pick<Manifest, 'val' | 'test'>,
): string | null {
  const chosenBy = choosingSplit(manifest);
  if (chosenBy === 'val' && earlyStopPatience > 0 && earlyStopMetric.startsWith('test')) {
    const expected = earlyStopMetric.replace('test', 'val');
    const problem = 'there are validation images, and what the test images say is asked once, at the end';
    throw coded('CONFIG_INVALID_VALUE', {
      key: 'early-stop-metric',
      value: earlyStopMetric,
      problem,
      expected,
    });
  }
  if (hasFinalTest(manifest)) return null;
  return chosenBy === 'test'
    ? 'no validation images: the best checkpoint is chosen by the test images, so its figure is optimistic ' +
        '(--val-split 0.1 chooses by a tenth of the training images instead)'
    : 'no test images: the best checkpoint is chosen by the validation images, so its figure is optimistic';
}
