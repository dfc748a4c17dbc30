/** Which images of the data folder a run takes. Pure. */
import type { ValSplit } from '../dataset/val-split.js';
import type { RunConfig } from './schema.js';

export interface RunScanOptions {
  readonly exclude: string | null;
  readonly valSplit: ValSplit | null;
}

export function scanOptionsOf({ exclude, valSplit: share, seed }: RunConfig): RunScanOptions {
  return { exclude, valSplit: share > 0 ? { share, seed } : null };
}
