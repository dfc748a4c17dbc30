/**
 * Reads and writes tables of the algorithms that a GPU's gemms use. `vitrail tune` makes a table, and every
 * worker reads it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { coded, reasonOf } from '../errors/errors.js';
import type { GemmChoice } from './kernel-api/gemm-library.js';

const schema = z.object({
  choices: z.array(
    z.object({ key: z.string(), algorithm: z.string(), microseconds: z.number().nonnegative() }),
  ),
});

/** @throws PRODUCT_CHOICES_UNREADABLE */
export function readGemmChoices(path: string): GemmChoice[] {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8'))).choices;
  } catch (thrown) {
    throw coded('PRODUCT_CHOICES_UNREADABLE', { path, reason: reasonOf(thrown) });
  }
}

/** Writes the file whole or not at all. */
export function writeGemmChoices(path: string, choices: readonly GemmChoice[]): void {
  writeFileSync(`${path}.part`, `${JSON.stringify({ choices }, null, 2)}\n`);
  renameSync(`${path}.part`, path);
}
