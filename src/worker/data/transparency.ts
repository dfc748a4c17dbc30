/** Tells whether an image is wholly transparent: training drops alpha, so what it sees then is whatever lies below. */
import sharp from 'sharp';

/** False also for what sharp does not read: the formats without alpha that are read otherwise. */
export async function isWhollyTransparent(path: string): Promise<boolean> {
  try {
    const image = sharp(path);
    if (!(await image.metadata()).hasAlpha) return false;
    return (await image.stats()).channels.at(-1)?.max === 0;
  } catch {
    return false;
  }
}
