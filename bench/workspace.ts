/** Common parts of the benchmarks: images to work on, the machine's name, medians. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawDataset } from '../src/demo/drawn-dataset.js';

export interface Workspace {
  readonly folder: string;
  /** The given data set, or a drawn one. */
  readonly data: string;
  remove(): void;
}

/** @param given a data set to use, or undefined to draw one */
export async function openWorkspace(given: string | undefined): Promise<Workspace> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-bench-'));
  const data = given ?? join(folder, 'data');
  if (given === undefined) await drawDataset(data, { seed: 1, trainPerClass: 128, testPerClass: 8 });
  return { folder, data, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export function machine(): string {
  return `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
}

/** The median; of an even number of values, the lower one of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1] ?? NaN;
}

/** Aligned columns, the first row as head. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')).join('\n');
}
