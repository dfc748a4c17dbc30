/** Chooses how a run's micro-batches are computed: from images, or from features that are kept. */
import type { Logger } from '../../host/logger.js';
import type { RunConfig } from '../../run/config/schema.js';
import { headInputs, type ModelSpec } from '../../run/model/model-spec.js';
import type { ComputeEngine } from '../../nn/engine/engine.js';
import { FeatureBatches, type FeatureBatchOptions } from './feature-batches.js';
import { featureRoom } from './feature-room.js';
import { imageBatches, type MicroBatches } from './micro-batches.js';

interface BatchChoice extends Pick<FeatureBatchOptions, 'loader' | 'splits'> {
  readonly config: RunConfig;
  readonly spec: ModelSpec;
  readonly engine: ComputeEngine;
  readonly log: Logger;
}

export function chosenBatches({ config, spec, loader, engine, splits, log }: BatchChoice): MicroBatches {
  if (!config.cacheFeatures) return imageBatches(loader, engine);
  const samples = Object.values(splits).reduce((sum, { length }) => sum + length, 0);
  const width = headInputs(spec);
  const { images, bytes, warning } = featureRoom(samples, width, config.cacheBytes);
  log.info({ images, bytes }, 'features are computed once and kept');
  if (warning !== null) log.warn(warning);
  return new FeatureBatches({
    loader,
    engine,
    splits,
    width,
    limitBytes: config.cacheBytes,
    onlySize: engine.gpu === undefined ? null : config.microBatch,
  });
}
