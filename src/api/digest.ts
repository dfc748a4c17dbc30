/** `digest`: the SHA-256 over all weights of a checkpoint. */
import { nodeDisk } from '../host/disk.js';
import { newestVerified, type OnRejected } from '../run/checkpoint/checkpoint-store.js';
import { weightDigest } from '../run/checkpoint/weight-digest.js';
import { openRunCheckpoint } from '../run/folder/run-checkpoint.js';

export interface DigestOptions {
  /** Called for every checkpoint that does not verify and is passed over. */
  readonly onNote?: (text: string) => void;
}

export interface WeightsDigest {
  /** The checkpoint's folder. */
  readonly checkpoint: string;
  /** The name of the model. */
  readonly model: string;
  /** Committed steps. */
  readonly step: number;
  readonly parameters: number;
  /** In hex digits, over the weights as docs/architecture.md lays them out. */
  readonly sha256: string;
}

/**
 * The digest of a checkpoint's folder, or of the newest checkpoint in a run folder. Two runs are compared by where they
 * ended, so a run's best checkpoint is not what is taken.
 * @throws VitrailError: CHECKPOINT_*
 */
export async function digest(path: string, { onNote }: DigestOptions = {}): Promise<WeightsDigest> {
  const rejected: OnRejected = (damaged, error) => onNote?.(`${damaged} does not verify: ${error.problem}`);
  const newest = await newestVerified(nodeDisk, path, rejected);
  const opened = await openRunCheckpoint(nodeDisk, newest?.path ?? path, rejected);
  const { checkpoint, spec, stored, layout } = opened;
  return {
    checkpoint: checkpoint.path,
    model: spec.name,
    step: stored.run.step,
    parameters: layout.length,
    sha256: weightDigest(checkpoint.weights),
  };
}
