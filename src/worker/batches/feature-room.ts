/** How much memory the features of a run's images take. Pure. */
import { counted } from '../../errors/wording.js';
import { OVERHEAD_BYTES } from '../data/image-cache.js';

export interface FeatureRoom {
  readonly images: number;
  /** Bytes that the features of all images take. */
  readonly bytes: number;
  /** What to tell a user if they do not fit; null if they do. */
  readonly warning: string | null;
}

/**
 * @param images of all splits
 * @param width values that the head sees of an image
 * @param limitBytes the most that a worker may keep
 */
export function featureRoom(images: number, width: number, limitBytes: number): FeatureRoom {
  const ofImage = 4 * width + OVERHEAD_BYTES;
  const bytes = images * ofImage;
  const fitting = Math.floor(limitBytes / ofImage);
  const warning =
    fitting >= images
      ? null
      : `cache-bytes of ${limitBytes} has room for the features of ${fitting} of ${counted(images, 'image')}: ` +
        `the others are computed in every epoch, or keep all of them with --cache-bytes ${bytes}`;
  return { images, bytes, warning };
}
