/** Warns of a batch that is larger than the training set. Pure. */

/** A warning if no step can fill the batch, else null. @param images in the training set */
export function batchNote(batch: number, images: number): string | null {
  if (batch <= images) return null;
  return (
    `a batch of ${batch} is larger than the ${images} training images: every step takes all of them, so the learning ` +
    `rate may be too high (--batch ${images} trains the same)`
  );
}
