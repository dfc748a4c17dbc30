/** Warns if no images are left that test the best checkpoint independently. Pure. */
import type { RunConfig } from '../../run/config/schema.js';
import { choosingSplit, hasFinalTest, type Manifest } from '../../run/dataset/manifest.js';
import { coded } from '../../errors/errors.js';

/**
 * A warning before the run starts, or null.
 * @throws CONFIG_INVALID_VALUE if early stopping would watch the test images, which are kept for the end
 */
export function choiceNote(
  { earlyStopMetric, earlyStopPatience }: RunConfig,
  manifest: Pick<Manifest, 'val' | 'test'>,
): string | null {
  const chosenBy = choosingSplit(manifest);
  if (chosenBy === 'val' && earlyStopPatience > 0 && earlyStopMetric.startsWith('test')) {
    const expected = earlyStopMetric.replace('test', 'val');
    const problem = 'there are validation images, and the test images are evaluated only once, at the end';
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
