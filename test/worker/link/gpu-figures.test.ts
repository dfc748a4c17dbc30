import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGpuFigures } from '../../../src/worker/link/gpu-figures.js';

test('per cent and MiB become a ratio and bytes, a line a GPU', () => {
  assert.deepEqual(parseGpuFigures('0, 35, 1024, 143771\n1, 0, 0, 143771\n'), [
    { gpu: 0, utilization: 0.35, memoryUsedBytes: 2 ** 30, memoryTotalBytes: 143771 * 2 ** 20 },
    { gpu: 1, utilization: 0, memoryUsedBytes: 0, memoryTotalBytes: 143771 * 2 ** 20 },
  ]);
});

test('a GPU without figures, and text that is none, are left out', () => {
  assert.deepEqual(parseGpuFigures('0, [N/A], 1, 2\n'), []);
  assert.deepEqual(parseGpuFigures('NVIDIA-SMI has failed\n'), []);
  assert.deepEqual(parseGpuFigures('0,,1,2\n'), []);
  assert.deepEqual(parseGpuFigures(''), []);
});
