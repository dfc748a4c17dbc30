/** Reads what a person finds in the run folder after a run: the weights of its newest checkpoint. */
import type { Disk } from '../host/disk.js';
import type { ParameterLayout } from '../run/model/parameter-layout.js';
import { readCheckpoint } from '../run/checkpoint/checkpoint-reader.js';
import { newestVerified } from '../run/checkpoint/checkpoint-store.js';
import { weightDigest } from '../run/checkpoint/weight-digest.js';
import { RUN_FOLDER } from './subjects.js';

export interface LeftWeights {
  readonly step: number;
  readonly digest: string;
}

/** The newest checkpoint that verifies; null if there is none. */
export async function leftWeights(disk: Disk, layout: ParameterLayout): Promise<LeftWeights | null> {
  const newest = await newestVerified(disk, RUN_FOLDER, () => undefined);
  if (newest === null) return null;
  const { step, weights } = await readCheckpoint(disk, newest.path, layout);
  return { step, digest: weightDigest(weights) };
}
