/** Tells the format of an image from the file's first bytes. As in PIL, the file's name does not matter. */

export type ImageKind = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'bmp' | 'netpbm';

/** The answer of a decoder that has no image, and why. */
export interface Refused {
  readonly refused: string;
}

/**
 * The most pixels of an image: where PIL says "decompression bomb" and refuses, twice its MAX_IMAGE_PIXELS.
 * It bounds the memory that a few bytes of a hostile header can ask for.
 */
export const MAX_PIXELS = 178_956_970;

/** Why an image of this size is refused; null if it is not. */
export function sizeRefusal(width: number, height: number): string | null {
  if (width <= 0 || height <= 0) return `its header says ${width} x ${height} pixels`;
  if (width * height <= MAX_PIXELS) return null;
  return `its header says ${width} x ${height} pixels, more than the ${MAX_PIXELS} that are accepted`;
}

/** Magic numbers as Latin-1, each with its offset. BigTIFF's are TIFF's with 43 in place of 42. */
const MAGIC: readonly (readonly [ImageKind, number, RegExp])[] = [
  ['jpeg', 0, /^\xff\xd8\xff/],
  ['png', 0, /^\x89PNG\r\n[^]\n/],
  ['gif', 0, /^GIF8[79]a/],
  ['webp', 0, /^RIFF[^]{4}WEBP/],
  ['tiff', 0, /^(?:II[*+]\0|MM\0[*+])/],
  ['avif', 4, /^ftypavi[fs]/],
  ['bmp', 0, /^BM/],
  ['netpbm', 0, /^P[1-6][ \t\n\v\f\r]/],
];

const KNOWN = 'JPEG, PNG, WebP, GIF, TIFF, BMP, PBM, PGM and PPM are read';

/** Other files that people give the name of an image. */
function described(head: string): string {
  if (/<svg[\s>]/i.test(head))
    return 'it is an SVG drawing, not an image of pixels: convert it, for example to PNG';
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(head)) return `it is a text in HTML or XML; ${KNOWN}`;
  if (head.startsWith('%PDF')) return `it is a PDF document; ${KNOWN}`;
  if (/^....ftyp(?:hei|hev|mif|msf)/s.test(head)) return `it is a HEIC image; ${KNOWN}`;
  return `unsupported image format; ${KNOWN}`;
}

export function kindOf(bytes: Uint8Array): ImageKind | Refused {
  if (bytes.length === 0) return { refused: 'the file is empty' };
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1024)).toString('latin1');
  const found = MAGIC.find(([, at, magic]) => magic.test(head.slice(at, at + 16)));
  return found === undefined ? { refused: described(head) } : found[0];
}
