/**
 * Writes paths as text: unchanged if a line can hold them, else in double quotes with C's escapes, as git
 * prints them. A path that is not UTF-8 cannot be a string, so its quoted form, with the bytes in octal, is
 * used for it.
 */

/** Characters that a line would lose or misunderstand, or that a reader would not see. */
const NEEDS_QUOTES = /^["#\s]|\s$|[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/u;
const QUOTED = /^"(?:[^"\\]|\\(?:["\\abfnrtv]|[0-3][0-7]{2}))*"$/;
const PART = /\\([0-3][0-7]{2})|\\(.)|([^\\]+)/gs;
const NAMED: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const NAME_OF = new Map(Object.entries(NAMED).map(([name, character]) => [character, name]));

const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, '0')}`;

/** Decodes strictly, and keeps a byte order mark as a character of the name. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of UTF-8 bytes; null if they are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

function escaped(character: string, hide: boolean): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  const name = NAME_OF.get(character);
  if (name !== undefined) return `\\${name}`;
  return hide ? [...new TextEncoder().encode(character)].map(octal).join('') : character;
}

/** A path in the form for a line of a list or a report. */
export function pathText(path: string): string {
  if (QUOTED.test(path) || !NEEDS_QUOTES.test(path)) return path;
  return `"${Array.from(path, (character) => escaped(character, HIDDEN.test(character))).join('')}"`;
}

/** The string for a path of these bytes: its text, or the quoted form if it is not UTF-8. */
export function pathOfBytes(bytes: Uint8Array): string {
  const text = utf8Text(bytes);
  if (text !== null) return text;
  const parts = [...bytes].map((byte) =>
    byte < 0x80 ? escaped(String.fromCharCode(byte), byte < 0x20 || byte === 0x7f) : octal(byte),
  );
  return `"${parts.join('')}"`;
}

/** The path that `pathText` wrote. */
export function parsePathText(text: string): string {
  if (!QUOTED.test(text)) return text;
  const bytes: number[] = [];
  for (const [, digits, name, plain] of text.slice(1, -1).matchAll(PART)) {
    if (digits !== undefined) bytes.push(parseInt(digits, 8));
    else bytes.push(...new TextEncoder().encode(name === undefined ? plain : (NAMED[name] ?? name)));
  }
  return pathOfBytes(Uint8Array.from(bytes));
}
