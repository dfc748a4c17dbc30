/** What the optimizers promise beyond torch's numbers: decay by kind, the average, purity, and refusal of misuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelSpec } from '../../../src/run/model/model-spec.js';
import { parameterLayout, type ParameterLayout } from '../../../src/run/model/parameter-layout.js';
import { KeyedRandom, PURPOSE } from '../../../src/numbers/random/keyed-random.js';
import {
  createOptimizer,
  initialiseState,
  stateNamesOf,
  type OptimizerConfig,
} from '../../../src/worker/optimizer/optimizer.js';
import { integerPower } from '../../../src/worker/optimizer/integer-power.js';

const CONFIG: OptimizerConfig = {
  optimizer: 'adamw',
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  momentum: 0.9,
  weightDecay: 0.5,
  decayOn: 'kernels',
  emaDecay: 0,
};
const LAYOUT: ParameterLayout = {
  length: 5,
  slots: [
    { name: 'k', shape: [2, 1], kind: 'kernel', offset: 0, length: 2 },
    { name: 'b', shape: [1], kind: 'bias', offset: 2, length: 1 },
    { name: 'n', shape: [1], kind: 'norm-scale', offset: 3, length: 1 },
    { name: 'e', shape: [1], kind: 'embedding', offset: 4, length: 1 },
  ],
};

function fresh(config: OptimizerConfig, layout: ParameterLayout, weights: Float32Array) {
  const optimizer = createOptimizer(config, layout);
  const state = Object.fromEntries(
    stateNamesOf(config).map((name) => [name, new Float32Array(layout.length).fill(9)]),
  );
  initialiseState(config, state, weights);
  return { optimizer, state };
}

/** What a gradient of zero leaves of weights of one after one update at rate 0.1: the decay alone. */
function decayed(config: OptimizerConfig): number[] {
  const weights = new Float32Array(5).fill(1);
  const { optimizer, state } = fresh(config, LAYOUT, weights);
  const gradient = new Float32Array(5);
  optimizer.step({ weights, gradient, state, lr: 0.1, stepNumber: 0, clipFactor: 1 });
  return [...weights];
}

const shrunk = Math.fround(0.95);

test('decay on kernels leaves biases, norms and embeddings alone', () => {
  assert.deepEqual(decayed(CONFIG), [shrunk, shrunk, 1, 1, 1]);
  assert.deepEqual(decayed({ ...CONFIG, optimizer: 'sgd' }), [shrunk, shrunk, 1, 1, 1]);
});

test('decay on all reaches every parameter', () => {
  assert.deepEqual(decayed({ ...CONFIG, decayOn: 'all' }), new Array(5).fill(shrunk));
});

test('coupled decay passes through the moments: its size no longer matters', () => {
  const [k, , b] = decayed({ ...CONFIG, optimizer: 'adam' });
  assert.ok(Math.abs(k! - 0.9) < 1e-6);
  assert.equal(b, 1);
});

test('a rate of 0 changes the moments and not the weights', () => {
  const weights = Float32Array.from([1, -2, 3, -4, 5]);
  const { optimizer, state } = fresh(CONFIG, LAYOUT, weights);
  const gradient = new Float32Array(5).fill(2);
  optimizer.step({ weights, gradient, state, lr: 0, stepNumber: 0, clipFactor: 0.5 });
  assert.deepEqual([...weights], [1, -2, 3, -4, 5]);
  assert.equal(state['exp_avg']![0], Math.fround(0.1));
  assert.equal(state['exp_avg_sq']![0], Math.fround(0.001));
});

test('the average starts at the initial weights and follows the updated ones', () => {
  const weights = new Float32Array(5).fill(1);
  const { optimizer, state } = fresh(
    { ...CONFIG, optimizer: 'sgd', weightDecay: 0, emaDecay: 0.75 },
    LAYOUT,
    weights,
  );
  assert.deepEqual(Object.keys(state), ['momentum', 'ema']);
  assert.deepEqual([...state['ema']!], [1, 1, 1, 1, 1]);
  const gradient = new Float32Array(5).fill(1);
  optimizer.step({ weights, gradient, state, lr: 1, stepNumber: 0, clipFactor: 1 });
  assert.deepEqual([...weights], [0, 0, 0, 0, 0]);
  assert.deepEqual([...state['ema']!], new Array(5).fill(0.75));
});

test('stopped after any update and continued from copies, on shared memory, the bits are the same', () => {
  const layout = parameterLayout(modelSpec('vit-micro/16', { imageSize: 32, classes: 3 }));
  const random = new KeyedRandom(1, PURPOSE.initialisation);
  const initial = Float32Array.from({ length: layout.length }, () => random.normal());
  const gradients = [0, 1, 2].map(() => Float32Array.from({ length: layout.length }, () => random.normal()));
  const shared = (from: Float32Array): Float32Array => {
    const copy = new Float32Array(new SharedArrayBuffer(from.byteLength));
    copy.set(from);
    return copy;
  };
  for (const optimizerName of ['adamw', 'adam', 'sgd'] as const) {
    const config = { ...CONFIG, optimizer: optimizerName, emaDecay: 0.99 };
    const straight = Float32Array.from(initial);
    const { optimizer, state } = fresh(config, layout, straight);
    let resumed = shared(initial);
    let resumedState: Record<string, Float32Array> = fresh(config, layout, resumed).state;
    for (const [stepNumber, gradient] of gradients.entries()) {
      const update = { gradient, lr: 0.01, stepNumber, clipFactor: 0.3 };
      optimizer.step({ ...update, weights: straight, state });
      resumed = shared(resumed);
      resumedState = Object.fromEntries(Object.entries(resumedState).map(([k, v]) => [k, shared(v)]));
      createOptimizer(config, layout).step({ ...update, weights: resumed, state: resumedState });
    }
    assert.deepEqual(Buffer.from(resumed.buffer), Buffer.from(straight.buffer));
    for (const name of stateNamesOf(config)) {
      assert.deepEqual(Buffer.from(resumedState[name]!.buffer), Buffer.from(state[name]!.buffer));
    }
  }
});

test('arrays of another length, or missing ones, are refused by name', () => {
  const weights = new Float32Array(5);
  const { optimizer, state } = fresh(CONFIG, LAYOUT, weights);
  const step = { weights, gradient: new Float32Array(5), state, lr: 0, stepNumber: 0, clipFactor: 1 };
  const short = new Float32Array(4);
  assert.throws(() => optimizer.step({ ...step, weights: short }), /weights has 4 elements for 5 parameters/);
  assert.throws(() => optimizer.step({ ...step, gradient: short }), /gradient has 4 elements/);
  assert.throws(() => optimizer.step({ ...step, state: {} }), /exp_avg has no array/);
  assert.throws(() => initialiseState(CONFIG, { ...state, exp_avg_sq: short }, weights), /exp_avg_sq has 4/);
});

test('a whole power is the product, and 1 for exponent 0', () => {
  assert.equal(integerPower(0.9, 0), 1);
  assert.equal(integerPower(0.9, 1), 0.9);
  assert.equal(integerPower(3, 13), 1594323);
  assert.equal(integerPower(0, 5), 0);
  for (const n of [10, 1000, 12345]) {
    assert.ok(Math.abs(integerPower(0.999, n) / Math.exp(n * Math.log(0.999)) - 1) < 1e-11);
  }
  assert.equal(integerPower(0.9, 1_000_000), 0);
});
