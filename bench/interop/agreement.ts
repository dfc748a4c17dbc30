/** Compares the logits of models of other libraries with ours: folders that make_models.py wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDisk } from '../../src/host/disk.js';
import { ComputeEngine } from '../../src/nn/engine/engine.js';
import type { EngineOptions } from '../../src/nn/engine/engine-options.js';
import type { ModelSpec } from '../../src/run/model/model-spec.js';
import type { PositionInterpolation } from '../../src/run/model/position-interpolation.js';
import { adaptWeights } from '../../src/run/model/weight-adaptation.js';
import { openPublishedModel } from '../../src/weights/published-model.js';
import { readModelWeights } from '../../src/weights/weight-reading.js';

interface AtSide {
  readonly side: number;
  /** [images, classes] */
  readonly logits: readonly (readonly number[])[];
}

export interface Expected {
  readonly architecture: string;
  /** Heads that the file does not tell; null if it does. */
  readonly heads: number | null;
  readonly interpolation: PositionInterpolation;
  readonly native: AtSide;
  readonly other: AtSide;
}

export function modelFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

export function expectedOf(folder: string): Expected {
  return JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected;
}

/** The images of make_models.py as patches: [images N, C P P]. */
function patchesOf({ patch }: ModelSpec, side: number, images: number): Float32Array {
  const value = (index: number): number =>
    Number((BigInt(index) * 2654435761n + 12345n) % 2n ** 32n) / 2 ** 31 - 1;
  const patches = new Float32Array(images * 3 * side * side);
  let to = 0;
  for (let image = 0; image < images; image++) {
    for (let top = 0; top < side; top += patch) {
      for (let left = 0; left < side; left += patch) {
        for (let channel = 0; channel < 3; channel++) {
          for (let row = top; row < top + patch; row++) {
            const line = ((image * 3 + channel) * side + row) * side;
            for (let column = left; column < left + patch; column++) patches[to++] = value(line + column);
          }
        }
      }
    }
  }
  return patches;
}

type Backend = EngineOptions['backend'];

async function logitsOf(
  backend: Backend,
  spec: ModelSpec,
  weights: Float32Array,
  images: number,
): Promise<Float32Array> {
  const engine = await ComputeEngine.create({
    backend,
    spec,
    dropout: 0,
    labelSmoothing: 0,
    recompute: false,
    seed: 0,
  });
  try {
    engine.loadWeights(weights);
    return (await engine.predict({ patches: patchesOf(spec, spec.imageSize, images) })).logits;
  } finally {
    engine.dispose();
  }
}

/** Norm of the difference by the norm of what is expected. */
function relativeError(actual: Float32Array, { logits }: AtSide): number {
  const expected = logits.flat();
  const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  return norm(expected.map((value, i) => value - (actual[i] ?? NaN))) / norm(expected);
}

export interface Agreement {
  readonly architecture: string;
  readonly spec: ModelSpec;
  /** Relative errors of the logits. */
  readonly native: number;
  readonly other: number;
}

/** How far our logits are from those of the library, at the resolution of the weights and at another one. */
export async function agreementOf(folder: string, backend: Backend = 'cpu'): Promise<Agreement> {
  const { architecture, heads, interpolation, native, other } = expectedOf(folder);
  const { file, model } = await openPublishedModel(nodeDisk, folder, heads);
  try {
    const weights = await readModelWeights(file, model);
    const at = async (expected: AtSide): Promise<number> => {
      const spec = { ...model.spec, imageSize: expected.side };
      const way = { keepHead: true, positions: interpolation };
      const adapted = adaptWeights(model.spec, weights, spec, folder, way);
      return relativeError(await logitsOf(backend, spec, adapted, expected.logits.length), expected);
    };
    return { architecture, spec: model.spec, native: await at(native), other: await at(other) };
  } finally {
    await file.close();
  }
}
