/** Whether a batch fits the images. Pure. */

/** What the user should know of a batch that no step can fill, else null. @param images of the training set */
export function batchNote(batch: number, images: number): string | null {
  if (batch <= images) return null;
  return (
    `a batch of ${batch} is larger than the ${images} training images: every step takes all of them, ` +
    `and the learning rate is for fewer images than it was chosen for (--batch ${images} says the same)`
  );
}
