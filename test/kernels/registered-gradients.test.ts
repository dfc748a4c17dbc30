/** tfjs's own gradients, of a network in plain ops, find every kernel that they need on the native backend. */
import { register } from 'node:module';
import { before } from 'node:test';
import { tf } from '../../src/nn/tfjs.js';
import { booleans, floats, integers, sameAsCpu } from './plain-comparison.js';

/** tfjs-core's gradients are ES modules without extensions in their imports, which Node does not load by itself. */
const HOOKS = `
  const extended = (s) => (s.endsWith('.js') ? s : s + '.js');
  export async function resolve(specifier, context, next) {
    const inside = context.parentURL?.includes('/tfjs-core/dist/') && specifier.startsWith('.');
    if (!inside && !specifier.endsWith('register_all_gradients.js')) return next(specifier, context);
    const found = await next(extended(specifier), context).catch(() => next(specifier + '/index.js', context));
    return { ...found, format: 'module' };
  }`;

before(async () => {
  register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
  const core = import.meta.resolve('@tensorflow/tfjs-core');
  await import(new URL('register_all_gradients.js', core).href);
});

type Mapping = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Values and gradients of the sum over all elements, by every input. */
function gradients(f: Mapping, inputs: () => tf.Tensor[]): () => tf.Tensor[] {
  return () => {
    const at = inputs();
    return [f(...at), ...tf.grads((...values) => tf.sum(f(...values)))(at)];
  };
}

sameAsCpu(
  'a perceptron with normalised hidden units, cross entropy and weight decay',
  gradients(
    (x, w1, b1, w2) => {
      const hidden = tf.relu(tf.add(tf.matMul(x, w1), b1));
      const centred = tf.sub(hidden, tf.mean(hidden, 1, true));
      const normal = tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), 1, true), 1e-5)));
      const logits = tf.matMul(normal, w2, false, true);
      const targets = tf.oneHot(tf.tensor1d([0, 2, 1, 3, 3], 'int32'), 4);
      const losses = tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), targets), 1));
      return tf.add(tf.mean(losses), tf.mul(0.01, tf.sum(tf.square(w1))));
    },
    () => [floats([5, 6], 1), floats([6, 7], 2), floats([7], 3), floats([4, 7], 4)],
  ),
  2e-5,
);

sameAsCpu(
  'attention with a fused projection',
  gradients(
    (x, w, b) => {
      const qkv = tf.fused.matMul({
        a: tf.reshape<tf.Rank.R2>(x, [6, 4]),
        b: w,
        bias: b,
      });
      const [q, k, v] = tf.split(tf.reshape(qkv, [2, 3, 12]), 3, 2) as [tf.Tensor, tf.Tensor, tf.Tensor];
      return tf.matMul(tf.softmax(tf.div(tf.matMul(q, k, false, true), 2)), v);
    },
    () => [floats([2, 3, 4], 1), floats([4, 12], 2), floats([12], 3)],
  ),
  2e-5,
);

const FUNCTIONS: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  exp: tf.exp,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  square: tf.square,
  abs: tf.abs,
  neg: tf.neg,
  erf: tf.erf,
  relu: tf.relu,
  step: tf.step,
  softmax: tf.softmax,
  logSoftmax: tf.logSoftmax,
  log: (x) => tf.log(tf.add(tf.abs(x), 0.5)),
  sqrt: (x) => tf.sqrt(tf.add(tf.abs(x), 0.5)),
  rsqrt: (x) => tf.rsqrt(tf.add(tf.abs(x), 0.5)),
  reciprocal: (x) => tf.reciprocal(tf.add(tf.abs(x), 0.5)),
  pow: (x) => tf.pow(tf.add(tf.abs(x), 0.5), 1.5),
  clip: (x) => tf.clipByValue(x, -0.5, 0.7),
  maximum: (x) => tf.maximum(x, tf.zeros([4])),
  minimum: (x) => tf.minimum(x, 0.2),
  squaredDifference: (x) => tf.squaredDifference(x, floats([4], 9)),
  div: (x) => tf.div(x, tf.add(tf.square(x), 1)),
  mean: (x) => tf.mean(x, 0),
  max: (x) => tf.max(x, 1),
  min: (x) => tf.min(x, 1),
  transpose: (x) => tf.mul(tf.transpose(x), 2),
  slice: (x) => tf.square(tf.slice(x, [1, 1], [2, 2])),
  pad: (x) =>
    tf.square(
      tf.pad(x, [
        [1, 0],
        [0, 2],
      ]),
    ),
  tile: (x) => tf.square(tf.tile(x, [2, 3])),
  reverse: (x) => tf.mul(tf.reverse(x, 1), floats([3, 4], 8)),
  concat: (x) => tf.square(tf.concat([x, x], 1)),
  stack: (x) => tf.square(tf.stack([x, x])),
  unstack: (x) => tf.mul(tf.unstack(x)[0]!, tf.unstack(x)[1]!),
  where: (x) => tf.where(booleans([3, 4]), tf.square(x), x),
  addN: (x) => tf.square(tf.addN([x, x, x])),
  cast: (x) => tf.mul(x, tf.cast(integers([3, 4]), 'float32')),
  moments: (x) => tf.moments(x, 1).variance,
};

for (const [name, f] of Object.entries(FUNCTIONS)) {
  sameAsCpu(
    `the gradient of ${name}`,
    gradients(
      (x) => f(x),
      () => [floats([3, 4])],
    ),
    2e-5,
  );
}
