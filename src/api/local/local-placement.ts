/** Collects the facts of this machine for `placement`. */
import { availableParallelism, freemem } from 'node:os';
import type { RunConfig } from '../../run/config/schema.js';
import { modelSpec } from '../../run/model/model-spec.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import { loadKernels } from '../../kernels/addon.js';
import { surveyGpus } from '../../nn/engine/gpus.js';
import { tensorflowInstalled } from '../../nn/backend/tensorflow-package.js';
import { placement, type Placement } from './placement.js';

/** The backend that `auto` chooses on a processor. */
function processorBackend(backend: string): string {
  if (backend !== 'auto') return backend;
  if (tensorflowInstalled()) return 'tensorflow';
  return loadKernels().kernels === undefined ? 'wasm' : 'native';
}

function devicesOf({ devices, backend }: RunConfig): number {
  const listed = devices.split(',').filter((device) => /^\s*cuda:/.test(device)).length;
  if (listed > 0 || devices.trim() !== 'auto') return listed;
  return backend === 'auto' || backend === 'native' ? surveyGpus().usable.length : 0;
}

/** The workers of `config` on this machine. @param given whether their number was given or is to be chosen */
export function localPlacement(config: RunConfig, given: boolean): Placement {
  const devices = devicesOf(config);
  const { model, batch, microBatch, threads, maxWorkers } = config;
  const run = {
    workers: given ? config.workers : null,
    threads,
    engine: devices > 0 ? 'gpu' : processorBackend(config.backend),
    devices,
    microBatches: batch / microBatch,
    maxWorkers,
    parameters: parameterLayout(modelSpec(model, { ...config, classes: 2 })).length,
  };
  return placement(run, { processors: availableParallelism(), freeBytes: freemem() });
}
