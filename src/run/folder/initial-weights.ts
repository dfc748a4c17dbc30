/** The weights that a run starts from: those of another run, or published ones. */
import { isForeign } from '../checkpoint/foreign-checkpoint.js';
import type { RunConfig } from '../config/schema.js';
import type { Host } from '../../host/host.js';
import type { ModelSpec } from '../model/model-spec.js';
import { adaptWeights } from '../model/weight-adaptation.js';
import { areNumbers } from '../../weights/class-names.js';
import { openPublishedModel } from '../../weights/published-model.js';
import { localWeights } from '../../weights/hub/system-hub.js';
import { readModelWeights } from '../../weights/weight-reading.js';
import { openRunCheckpoint } from './run-checkpoint.js';
import { sourceDigest } from './source-digest.js';

export interface WeightTarget {
  readonly config: Pick<RunConfig, 'initCommit' | 'positionInterpolation'>;
  readonly spec: ModelSpec;
  /** In the order of the logits. */
  readonly classes: readonly string[];
  readonly warn: (text: string) => void;
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, i) => name === other[i]);
}

export interface InitialWeights {
  /** Flat, in layout order. */
  readonly weights: Float32Array;
  /** Of what they were made from. */
  readonly digest: string;
}

/**
 * Weights of `path`, fitted to the model (Table 4 of arXiv 2010.11929: new head, interpolated positions). A head is
 * kept if it is for the same classes, in the same order. Published weights may only number theirs, and then as many will do.
 * @param from a path, or the name of a model of a hub, which is in the cache
 * @throws CHECKPOINT_*, WEIGHTS_*, HUB_NOT_CACHED
 */
export async function initialWeights(
  { clock, disk }: Pick<Host, 'clock' | 'disk'>,
  from: string,
  target: WeightTarget,
): Promise<InitialWeights> {
  const { spec, classes, warn } = target;
  const { initCommit, positionInterpolation: positions } = target.config;
  const path = await localWeights(from, initCommit);
  if (await isForeign(disk, path)) {
    const { file, model, classes: known } = await openPublishedModel(disk, path, spec.heads);
    try {
      const flat = await readModelWeights(file, model);
      const keepHead = areNumbers(known) || sameNames(known, classes);
      if (!keepHead && known.length === classes.length) {
        warn(`${path} is for as many classes, but for others or in another order: the head starts anew`);
      }
      const weights = adaptWeights(model.spec, flat, spec, path, { keepHead, positions });
      return { weights, digest: await sourceDigest(clock, model.spec, known, flat) };
    } finally {
      await file.close();
    }
  }
  const source = await openRunCheckpoint(disk, path, (rejected, error) =>
    warn(`${rejected}: ${error.problem}`),
  );
  const keepHead = sameNames(source.stored.classes, classes);
  const { checkpoint, stored } = source;
  // As evaluation does.
  const flat = checkpoint.slots['ema'] ?? checkpoint.weights;
  const weights = adaptWeights(source.spec, flat, spec, checkpoint.path, {
    keepHead,
    positions,
  });
  return { weights, digest: await sourceDigest(clock, source.spec, stored.classes, flat) };
}
