/** Decides whether what the head sees of an image stays the same in a whole run. Pure. */
import type { RunConfig } from './schema.js';

type DecidingOptions = Pick<RunConfig, 'freeze' | 'augment' | 'transform' | 'dropout' | 'dropPath'>;

/** The first option that makes features of images change; null if they never do. */
export function changingFeatures(
  config: DecidingOptions,
): { readonly problem: string; readonly remedy: string } | null {
  const { freeze, augment, transform, dropout, dropPath } = config;
  if (freeze !== 'backbone') {
    const problem = `with freeze ${freeze ?? 'none'}, what lies before the head is trained`;
    return { problem, remedy: '--freeze backbone' };
  }
  if (augment && transform === 'paper') {
    const problem = 'with augment true, every epoch has other crops of the images';
    return { problem, remedy: '--no-augment' };
  }
  if (dropout > 0) {
    return { problem: `dropout ${dropout} is drawn anew in every step`, remedy: '--dropout 0' };
  }
  if (dropPath > 0) {
    return { problem: `drop-path ${dropPath} is drawn anew in every step`, remedy: '--drop-path 0' };
  }
  return null;
}
