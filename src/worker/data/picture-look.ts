/** Finds pictures that can be decoded but show nothing. */
import type { FindingKind } from '../../run/dataset/findings.js';
import type { RgbImage } from './rgb-image.js';

export type EmptyLook = Extract<FindingKind, 'transparent' | 'black' | 'one-colour'>;

/** Whether every pixel has the colour of the first one. */
function hasOneColour({ data }: RgbImage): boolean {
  for (let i = 3; i < data.length; i++) if (data[i] !== data[i - 3]) return false;
  return true;
}

/**
 * What is strange about a decoded picture, or null. A transparent picture may have any colours under its
 * alpha.
 */
export function emptyLook(image: RgbImage, isTransparent: boolean): EmptyLook | null {
  if (isTransparent) return 'transparent';
  if (!hasOneColour(image)) return null;
  return image.data[0] === 0 && image.data[1] === 0 && image.data[2] === 0 ? 'black' : 'one-colour';
}
