/**
 * Reads the number of colour components of a JPEG file. Files with four are converted to RGB in another way.
 */

/** Markers of a frame header: SOF0 to SOF15 without DHT, JPG and DAC, which lie between them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Markers without a length after them: TEM, RST0 to RST7, SOI. */
function isAlone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** Components of the first frame; 0 if there is none before the first scan. */
export function jpegComponents(bytes: Uint8Array): number {
  let at = 2;
  while (at + 9 < bytes.length) {
    // Fill bytes and, as libjpeg does with a warning, bytes that belong to no segment are skipped.
    while (at < bytes.length && bytes[at] !== 0xff) at++;
    while (at < bytes.length && bytes[at] === 0xff) at++;
    const marker = bytes[at++] ?? 0;
    if (marker === 0 || isAlone(marker)) continue;
    if (isFrame(marker)) return bytes[at + 7] ?? 0;
    if (marker === 0xda || marker === 0xd9) return 0;
    at += Math.max(2, ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  }
  return 0;
}
