/** The ops as plain loops in double precision, and derivatives by central differences. */
import type { GeluForm } from '../../src/run/model/model-spec.js';

export type Matrix = Float64Array;
export type Shape = readonly number[];

/** x [rows, into] W^T + b */
export function linear(x: Matrix, weight: Matrix, bias: Matrix, into: number): Matrix {
  const out = bias.length;
  const y = new Float64Array((x.length / into) * out);
  for (let i = 0; i < y.length; i++) {
    const row = Math.floor(i / out);
    const o = i % out;
    y[i] = bias[o]!;
    for (let k = 0; k < into; k++) y[i] = y[i]! + x[row * into + k]! * weight[o * into + k]!;
  }
  return y;
}

export function layerNorm(x: Matrix, scale: Matrix, shift: Matrix, epsilon = 1e-6): Matrix {
  const width = scale.length;
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += width) {
    const row = x.subarray(at, at + width);
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    for (let i = 0; i < width; i++) {
      y[at + i] = ((row[i]! - mean) / Math.sqrt(variance + epsilon)) * scale[i]! + shift[i]!;
    }
  }
  return y;
}

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const exponentials = row.map((value) => Math.exp(value - top));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** qkv [images tokens, 3 heads width] */
export function attention(qkv: Matrix, images: number, heads: number, tokens: number): Matrix {
  const packed = qkv.length / (images * tokens);
  const hidden = packed / 3;
  const width = hidden / heads;
  const y = new Float64Array(images * tokens * hidden);
  for (let image = 0; image < images; image++) {
    for (let head = 0; head < heads; head++) {
      const at = (part: number, token: number, i: number): number =>
        qkv[(image * tokens + token) * packed + part * hidden + head * width + i]!;
      for (let query = 0; query < tokens; query++) {
        const scores = Array.from({ length: tokens }, (_, key) => {
          let score = 0;
          for (let i = 0; i < width; i++) score += at(0, query, i) * at(1, key, i);
          return score / Math.sqrt(width);
        });
        for (const [key, probability] of softmax(scores).entries()) {
          for (let i = 0; i < width; i++) {
            const out = (image * tokens + query) * hidden + head * width + i;
            y[out] = y[out]! + probability * at(2, key, i);
          }
        }
      }
    }
  }
  return y;
}

/** The error function by its power series: exact to about 1e-11 for |x| < 4. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export function gelu(x: Matrix, form: GeluForm): Matrix {
  return x.map((v) =>
    form === 'erf'
      ? (v / 2) * (1 + erf(v / Math.SQRT2))
      : (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
  );
}

/** patches [images patches, into], projection [width, into], position [patches + 1, width] */
export function embedTokens(
  patches: Matrix,
  weight: Matrix,
  bias: Matrix,
  classToken: Matrix,
  position: Matrix,
): Matrix {
  const width = bias.length;
  const into = weight.length / width;
  const tokens = position.length / width;
  const projected = linear(patches, weight, bias, into);
  const images = patches.length / into / (tokens - 1);
  const y = new Float64Array(images * tokens * width);
  for (let image = 0; image < images; image++) {
    for (let token = 0; token < tokens; token++) {
      for (let i = 0; i < width; i++) {
        const value =
          token === 0 ? classToken[i]! : projected[(image * (tokens - 1) + token - 1) * width + i]!;
        y[(image * tokens + token) * width + i] = value + position[token * width + i]!;
      }
    }
  }
  return y;
}

export function crossEntropy(logits: Matrix, labels: Int32Array, smoothing: number): Matrix {
  const classes = logits.length / labels.length;
  return Float64Array.from(labels, (label, sample) => {
    const probabilities = softmax([...logits.subarray(sample * classes, (sample + 1) * classes)]);
    return -probabilities.reduce((sum, probability, k) => {
      const target = smoothing / classes + (k === label ? 1 - smoothing : 0);
      return sum + target * Math.log(probability);
    }, 0);
  });
}

/** The gradient of sum(weights * f(...inputs)) by the input at `index`. */
export function numericGradient(
  f: (...inputs: Matrix[]) => Matrix,
  inputs: readonly Matrix[],
  index: number,
  weights: Matrix,
): Matrix {
  const step = 1e-5;
  const moved = inputs.map((input) => input.slice());
  const variable = moved[index]!;
  const objective = (): number => f(...moved).reduce((sum, value, i) => sum + value * weights[i]!, 0);
  return variable.map((value, i) => {
    variable[i] = value + step;
    const above = objective();
    variable[i] = value - step;
    const below = objective();
    variable[i] = value;
    return (above - below) / (2 * step);
  });
}
