/** Training where the engine computes. */
import { DeviceTraining } from './device-training.js';
import { loadKernels } from './engine/native/addon.js';
import { hostTraining, type TrainingParts } from './host-training.js';
import type { Training } from './training.js';

export function trainingOn(parts: TrainingParts): Training {
  const { gpu } = parts.engine;
  return gpu === undefined ? hostTraining(parts, loadKernels().kernels) : new DeviceTraining(parts, gpu);
}
