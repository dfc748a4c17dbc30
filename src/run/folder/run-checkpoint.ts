/** Writes and reads what a run stores in a checkpoint's state.json. */
import { z } from 'zod';
import type { CheckpointState } from '../checkpoint/checkpoint-format.js';
import { readCheckpoint, readCheckpointState, type Checkpoint } from '../checkpoint/checkpoint-reader.js';
import { resolveCheckpoint, type OnRejected } from '../checkpoint/checkpoint-store.js';
import { resolveConfig } from '../config/config.js';
import type { RunConfig } from '../config/schema.js';
import { coded } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { modelSpec, type ModelSpec } from '../model/model-spec.js';
import { parameterLayout, type ParameterLayout } from '../model/parameter-layout.js';
import { trainedLayout } from '../model/trained-parameters.js';
import type { RunState } from '../journal/run-state.js';
import { runStateSchema, storedRunState } from '../journal/run-state-schema.js';

export interface StoredRun {
  readonly run: RunState;
  readonly config: RunConfig;
  readonly classes: readonly string[];
  readonly manifestDigest: string;
  /** The backend that computed it, because bits differ between backends. */
  readonly backend: string;
}

const storedRunSchema = z.object({
  run: runStateSchema,
  config: z.record(z.string(), z.unknown()),
  classes: z.array(z.string()).min(2),
  manifestDigest: z.string(),
  backend: z.string(),
});

/** What state.json holds of `run`. `storedRun` reads it back. */
export function checkpointState(run: StoredRun): CheckpointState {
  return { ...run, run: storedRunState(run.run) };
}

/** @throws CHECKPOINT_CORRUPT if state.json is not what a run stores */
export function storedRun(path: string, state: unknown): StoredRun {
  const parsed = storedRunSchema.safeParse(state);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw coded('CHECKPOINT_CORRUPT', {
      path,
      problem: `state.json: ${issue.path.join('.')}: ${issue.message}`,
    });
  }
  const { config, ...rest } = parsed.data;
  return { ...rest, config: resolveConfig({ flags: config }) };
}

/** A checkpoint of a run, verified, with the model it belongs to. */
export interface RunCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly stored: StoredRun;
  readonly spec: ModelSpec;
  readonly layout: ParameterLayout;
}

/**
 * Opens a checkpoint folder, or the best (else newest) checkpoint of a run folder.
 * @throws CHECKPOINT_*
 */
export async function openRunCheckpoint(
  disk: Disk,
  path: string,
  onRejected: OnRejected,
): Promise<RunCheckpoint> {
  const folder = await resolveCheckpoint(disk, path, onRejected);
  const stored = storedRun(folder, (await readCheckpointState(disk, folder)).state);
  const spec = modelSpec(stored.config.model, { ...stored.config, classes: stored.classes.length });
  const layout = parameterLayout(spec);
  const trained = trainedLayout(layout, stored.config.freeze);
  return { checkpoint: await readCheckpoint(disk, folder, layout, trained), stored, spec, layout };
}
