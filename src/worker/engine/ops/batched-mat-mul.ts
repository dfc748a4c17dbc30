/** Products of many small matrices, by the faster way the active backend has. */
import * as tf from '@tensorflow/tfjs-core';

/**
 * wasm's batched kernel is a plain triple loop (1.5 GFLOPS), its 2-D kernel XNNPACK (20 GFLOPS). Taking the
 * batch apart costs about 20 us a matrix, so it pays from this many multiplications a matrix.
 * 2026-11-22, 2 vCPU Zen 4, 64 products [N, 32] x [32, N], batched / apart: N = 17 0.75 / 1.8 ms,
 * N = 37 3.0 / 1.4 ms, N = 65 8.0 / 2.7 ms; 48 products [197, 64] x [64, 197]: 122 / 12.7 ms.
 */
const APART_FROM_MULTIPLICATIONS = 25_000;

function apart(a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D {
  const [count, rows, inner] = a.shape;
  const columns = b.shape[2];
  // Through the host: a wasm slice copies the whole source each time.
  const left = a.dataSync();
  const right = b.dataSync();
  const products: tf.Tensor2D[] = [];
  for (let i = 0; i < count; i++) {
    const leftPart = left.subarray(i * rows * inner, (i + 1) * rows * inner);
    const rightPart = right.subarray(i * inner * columns, (i + 1) * inner * columns);
    const x = tf.tensor2d(leftPart, [rows, inner], 'float32');
    const y = tf.tensor2d(rightPart, [inner, columns], 'float32');
    products.push(tf.matMul(x, y));
    tf.dispose([x, y]);
  }
  return tf.reshape(tf.concat(products, 0), [count, rows, columns]);
}

/** [G, m, k] x [G, k, n] -> [G, m, n] */
export function batchedMatMul(a: tf.Tensor3D, b: tf.Tensor3D): tf.Tensor3D {
  const multiplications = a.shape[1] * a.shape[2] * b.shape[2];
  return tf.getBackend() === 'wasm' && multiplications >= APART_FROM_MULTIPLICATIONS
    ? tf.tidy(() => apart(a, b))
    : tf.matMul(a, b);
}
