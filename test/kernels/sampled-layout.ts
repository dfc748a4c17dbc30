/** Tensors of all lengths that kernels are tested with, in one flat array. */
import type { ParameterLayout } from '../../src/run/model/parameter-layout.js';
import { LENGTHS } from './float-samples.js';

/** A tensor per length, after three elements, so that no tensor starts where a vector would. */
export const sampledLayout: ParameterLayout = {
  slots: LENGTHS.map((length, i) => ({
    name: `tensor ${i}`,
    shape: [length],
    kind: 'kernel',
    length,
    offset: 3 + LENGTHS.slice(0, i).reduce((sum, before) => sum + before, 0),
  })),
  length: 3 + LENGTHS.reduce((sum, length) => sum + length, 0),
};
