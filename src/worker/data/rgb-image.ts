/** A decoded image: every decoder returns this form. */

export interface RgbImage {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** Shape [height, width, 3], red first, 8 bits each, upright. */
  readonly data: Uint8Array;
}
