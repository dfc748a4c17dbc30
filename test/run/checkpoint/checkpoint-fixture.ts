/** A small model's checkpoint content and a temporary run folder, for the checkpoint tests. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemHost } from '../../../src/host/host.js';
import { writeCheckpoint, type CheckpointContent } from '../../../src/run/checkpoint/checkpoint-writer.js';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout } from '../../../src/run/model/parameter-layout.js';
import { KeyedRandom, PURPOSE } from '../../../src/numbers/random/keyed-random.js';

export const SPEC = modelSpec('vit-micro/16', { imageSize: 16, classes: 2 });
export const LAYOUT = parameterLayout(SPEC);

/** Content that differs by step in every tensor; on shared memory, as in a run. */
export function contentOf(step: number): CheckpointContent {
  const random = new KeyedRandom(step, PURPOSE.initialisation);
  const flat = (): Float32Array => {
    const values = new Float32Array(new SharedArrayBuffer(4 * LAYOUT.length));
    for (let i = 0; i < values.length; i++) values[i] = random.uniform();
    return values;
  };
  return {
    step,
    layout: LAYOUT,
    weights: flat(),
    slots: { exp_avg: flat(), exp_avg_sq: flat() },
    state: { epoch: 1, model: SPEC, maxima: [0.5, 1e-8], best: null },
    metadata: {},
  };
}

/** Writes a checkpoint to a folder that nobody else has. */
export async function saveCheckpoint(runDir: string, content: CheckpointContent): Promise<string> {
  return writeCheckpoint(systemHost, runDir, content, async () => Promise.resolve());
}

/** Memory where there is some: forcing a thousand small files to a disk is most of these tests' time. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Runs `body` with an empty run folder, removed afterwards. */
export async function withRunFolder(body: (runDir: string) => Promise<void>): Promise<void> {
  const runDir = mkdtempSync(join(BASE, 'vitrail-run-'));
  try {
    await body(runDir);
  } finally {
    rmSync(runDir, { recursive: true });
  }
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown);
  }
  return 'nothing was thrown';
}
