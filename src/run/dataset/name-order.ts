/** The order of class and file names: by Unicode code point, as Python sorts strings, so that labels are torchvision's. */

/** Moves surrogates above all other code units, because a surrogate belongs to a code point above U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Compares two strings by code points. JavaScript's own `<` compares UTF-16 units, which differs above U+FFFF. */
export function byCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [left, right] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}
