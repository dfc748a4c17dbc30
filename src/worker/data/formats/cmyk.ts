/** Converts CMYK to RGB by PIL's formula, which ignores profiles. */

/** a x b / 255, rounded: PIL's MULDIV255. */
function scaled(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** @param cmyk shape [pixels, 4], 255 is full ink. @returns shape [pixels, 3] */
export function rgbOfCmyk(cmyk: Uint8Array): Uint8Array {
  const pixels = cmyk.length / 4;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) {
    const light = 255 - cmyk[i * 4 + 3]!;
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = light - scaled(cmyk[i * 4 + c]!, light);
  }
  return rgb;
}
