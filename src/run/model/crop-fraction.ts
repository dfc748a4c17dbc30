/** The crop fraction that leads from one side to another. Pure. */

/** timm's `crop_pct` for a crop of `crop` from `resized` pixels: floor(crop / fraction) is `resized`. */
export function cropFractionOf(crop: number, resized: number): number {
  let fraction = crop / resized;
  // The quotient may be rounded to a value just below `resized`; a smaller fraction gives a larger one.
  while (Math.floor(crop / fraction) < resized) fraction *= 1 - Number.EPSILON;
  return fraction;
}
