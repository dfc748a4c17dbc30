/**
 * Gives the whole confusion matrix as a file's content, in pieces, because that of many classes does not fit
 * into a string. Pure.
 */
import type { Confusion } from './confusion.js';

/** Lines of a piece. */
const PIECE_LINES = 4096;
const NPY_ALIGNMENT = 64;

/** A field of RFC 4180. */
function field(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * CSV with a line for every pair that occurred, sorted by true class, then by predicted class. All other
 * pairs are 0.
 * @param names of the classes
 */
export function* confusionCsv(confusion: Confusion, names: readonly string[]): Generator<string> {
  const fields = names.map(field);
  let lines = ['actual,predicted,count'];
  for (const { actual, predicted, count } of confusion.cells()) {
    lines.push(`${fields[actual]!},${fields[predicted]!},${count}`);
    if (lines.length < PIECE_LINES) continue;
    yield `${lines.join('\n')}\n`;
    lines = [];
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

/**
 * NumPy's format (version 1.0): the whole matrix as int32 [classes, classes], rows by true class, one row a piece.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function* confusionNpy(confusion: Confusion): Generator<Uint8Array> {
  const { classes } = confusion;
  yield npyHeader(`{'descr': '<i4', 'fortran_order': False, 'shape': (${classes}, ${classes}), }`);
  const row = new DataView(new ArrayBuffer(4 * classes));
  const bytes = new Uint8Array(row.buffer);
  let at = 0;
  for (const { actual, predicted, count } of confusion.cells()) {
    for (; at < actual; at++) {
      yield bytes.slice();
      bytes.fill(0);
    }
    row.setInt32(4 * predicted, count, true);
  }
  for (; at < classes; at++) {
    yield bytes.slice();
    bytes.fill(0);
  }
}

/** Magic, version, length, and a text that is padded so that the values begin at a multiple of 64. */
function npyHeader(text: string): Uint8Array {
  const prefix = 10;
  const total = Math.ceil((prefix + text.length + 1) / NPY_ALIGNMENT) * NPY_ALIGNMENT;
  const header = new Uint8Array(total).fill(0x20);
  header.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0]);
  new DataView(header.buffer).setUint16(8, total - prefix, true);
  header.set(new TextEncoder().encode(text), prefix);
  header[total - 1] = 0x0a;
  return header;
}
