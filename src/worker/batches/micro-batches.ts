/** A worker's micro-batches: where they come from, and how they are computed. */
import type { ComputeEngine, TrainResult } from '../../nn/engine/engine.js';
import type { EvaluationResult } from '../../nn/engine/judgement-reader.js';
import type { GradientCallback, MicroBatchPosition } from '../../nn/engine/micro-batch-pass.js';
import type { Loader } from '../data/loader.js';
import type { BatchRequest } from '../data/micro-batch.js';

/** A micro-batch whose images are there. It is computed once. */
export interface TakenBatch {
  readonly count: number;
  train(position: MicroBatchPosition, onGradient: GradientCallback): Promise<TrainResult>;
  evaluate(): Promise<EvaluationResult>;
}

export interface MicroBatches {
  /** Micro-batches that are ready and not taken. */
  readonly ready: number;
  /** Says which micro-batches will be taken next, in this order. */
  prefetch(requests: readonly BatchRequest[]): void;
  /** @throws DATA_BROKEN_IMAGE, DATA_UNREADABLE, DATA_LOADER_TIMEOUT, DATA_LOADER_STOPPED */
  take(request: BatchRequest): Promise<TakenBatch>;
  /** Has to be called when the weights have come from elsewhere than from an update. */
  forget(): void;
}

export type BatchLoader = Pick<Loader, 'prefetch' | 'take' | 'ready'>;
type BatchEngine = Pick<ComputeEngine, 'trainMicroBatch' | 'evaluateMicroBatch'>;

/** Micro-batches of images, each of which goes through the whole model every time. */
export function imageBatches(loader: BatchLoader, engine: BatchEngine): MicroBatches {
  return {
    get ready() {
      return loader.ready;
    },
    prefetch: (requests) => loader.prefetch(requests),
    forget: () => undefined,
    take: async (request) => {
      const batch = await loader.take(request);
      return {
        count: batch.count,
        train: (position, onGradient) => engine.trainMicroBatch(batch, position, onGradient),
        evaluate: () => engine.evaluateMicroBatch(batch),
      };
    },
  };
}
