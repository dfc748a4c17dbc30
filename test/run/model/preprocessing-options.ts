/** Preprocessing as a run has it that gives only its transform. */
import type { PreprocessingOptions, Transform } from '../../../src/run/model/preprocessing.js';

export function preprocessing(
  transform: Transform,
  changes: Partial<PreprocessingOptions> = {},
): PreprocessingOptions {
  const own = {
    mean: null,
    std: null,
    interpolation: 'bilinear',
    cropMode: null,
    cropFraction: null,
  } as const;
  return Object.assign({ transform }, own, changes);
}
