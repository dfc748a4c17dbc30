/** Pillow's filters for resizing. Pure. Source: Pillow, src/libImaging/Resample.c (bilinear_filter, bicubic_filter). */
import type { Interpolation } from '../../run/model/preprocessing.js';

export interface Filter {
  /** Beyond this distance the weight is 0, in pixels of the smaller image. */
  readonly support: number;
  readonly weight: (distance: number) => number;
}

function triangle(distance: number): number {
  return Math.max(0, 1 - Math.abs(distance));
}

/** Keys' cubic with a = -0.5. The order of operations is Pillow's, because it decides the last bits. */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

export const FILTERS: Readonly<Record<Interpolation, Filter>> = {
  bilinear: { support: 1, weight: triangle },
  bicubic: { support: 2, weight: cubic },
};
