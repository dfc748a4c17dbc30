/** Drop path on fused kernels: copies that take the branch of single images away again. */
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { bufferOf } from '../backend/tensor-buffers.js';
import type { FusedDevice } from './device.js';

function copyImages(
  device: FusedDevice,
  from: Tensor2D,
  to: Tensor2D,
  images: number,
  chosen: readonly number[],
): void {
  const length = to.size / images;
  for (const image of chosen) {
    device.kernels.stridedCopy({
      x: bufferOf(from),
      y: bufferOf(to),
      shape: [length],
      // A tensor of one image is the same for all of them.
      offsetX: from.size === to.size ? image * length : 0,
      offsetY: image * length,
      stridesX: [1],
      stridesY: [1],
    });
  }
}

/** Sets `output` [B S, D] back to the branch's input in the images that lose the branch. */
export function withoutBranch(
  device: FusedDevice,
  z: Tensor2D,
  output: Tensor2D,
  images: number,
  dropped: readonly number[] = [],
): void {
  copyImages(device, z, output, images, dropped);
}

/** The branch's gradient, which is 0 in those images; to be called inside a tidy. `dy` itself if there are none. */
export function branchGradient(
  device: FusedDevice,
  dy: Tensor2D,
  images: number,
  dropped: readonly number[] = [],
): Tensor2D {
  if (dropped.length === 0) return dy;
  const [rows, width] = dy.shape;
  const gradient = device.activation(rows, width);
  const zero = device.activation(rows / images, width);
  const { kernels } = device;
  kernels.convert({ x: bufferOf(dy), y: bufferOf(gradient), length: dy.size });
  kernels.fill({ y: bufferOf(zero), value: 0, length: zero.size });
  copyImages(device, zero, gradient, images, dropped);
  zero.dispose();
  return gradient;
}
