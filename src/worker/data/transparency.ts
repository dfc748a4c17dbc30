/** Tells whether an image is wholly transparent. Training drops alpha, so it would see arbitrary colours. */
import sharp from 'sharp';

/** False also for formats that sharp does not read, because these have no alpha. */
export async function isWhollyTransparent(path: string): Promise<boolean> {
  try {
    const image = sharp(path);
    if (!(await image.metadata()).hasAlpha) return false;
    return (await image.stats()).channels.at(-1)?.max === 0;
  } catch {
    return false;
  }
}
