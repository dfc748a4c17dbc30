/** Training where the engine computes. */
import { DeviceTraining } from './device-training.js';
import { withinDevice } from '../../nn/engine/memory-fit.js';
import { loadKernels } from '../../kernels/addon.js';
import { hostTraining } from './host-training.js';
import type { Training, TrainingParts } from './training.js';

/** @throws DEVICE_TOO_SMALL */
export function trainingOn(parts: TrainingParts): Training {
  const { gpu } = parts.engine;
  if (gpu === undefined) return hostTraining(parts, loadKernels().kernels);
  return withinDevice(parts.engine.backend, () => new DeviceTraining(parts, gpu));
}
