/** The optimizers against torch.optim's own numbers (test/fixtures/optimizer/make_fixture.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { ParameterLayout } from '../../../src/run/model/parameter-layout.js';
import { clipFactor } from '../../../src/worker/optimizer/gradient-scaling.js';
import {
  createOptimizer,
  initialiseState,
  stateNamesOf,
  type OptimizerConfig,
  type StateName,
} from '../../../src/worker/optimizer/optimizer.js';

interface Fixture {
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly rates: readonly number[];
  readonly cases: readonly {
    readonly name: string;
    readonly maxNorm: number;
    readonly options: {
      readonly betas?: readonly [number, number];
      readonly eps?: number;
      readonly momentum?: number;
      readonly weight_decay: number;
    };
    readonly weights: readonly (readonly number[])[];
    readonly state: Readonly<Record<string, readonly number[]>>;
  }[];
}

const fixture = JSON.parse(readFileSync('test/fixtures/optimizer/torch-optim.json', 'utf8')) as Fixture;
const LENGTH = fixture.initial.length;
const LAYOUT: ParameterLayout = {
  length: LENGTH,
  slots: [
    { name: 'a', shape: [4], kind: 'kernel', offset: 0, length: 4 },
    { name: 'b', shape: [LENGTH - 4], kind: 'bias', offset: 4, length: LENGTH - 4 },
  ],
};
const TORCH_STATE: Readonly<Partial<Record<StateName, string>>> = { momentum: 'momentum_buffer' };

function assertClose(actual: Float32Array, expected: readonly number[], what: string): void {
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(actual[i]! - value);
    assert.ok(
      difference <= 1e-6 * Math.max(1, Math.abs(value)),
      `${what}[${i}]: ${actual[i]!}, not ${value}`,
    );
  }
}

for (const { name, maxNorm, options, weights: expected, state: expectedState } of fixture.cases) {
  const clipped = maxNorm > 0 ? `, clipped at ${maxNorm}` : '';
  test(`${name}${clipped} follows torch.optim over ${expected.length} updates`, () => {
    const config: OptimizerConfig = {
      optimizer: name.startsWith('adamw') ? 'adamw' : name.startsWith('adam') ? 'adam' : 'sgd',
      beta1: options.betas?.[0] ?? 0.9,
      beta2: options.betas?.[1] ?? 0.999,
      eps: options.eps ?? 1e-8,
      momentum: options.momentum ?? 0,
      weightDecay: options.weight_decay,
      decayOn: 'all',
      emaDecay: 0,
    };
    const optimizer = createOptimizer(config, LAYOUT);
    const weights = Float32Array.from(fixture.initial);
    const state = Object.fromEntries(stateNamesOf(config).map((n) => [n, new Float32Array(LENGTH)]));
    initialiseState(config, state, weights);
    for (const [stepNumber, values] of fixture.gradients.entries()) {
      const gradient = Float32Array.from(values);
      const norm = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      const lr = fixture.rates[stepNumber]!;
      optimizer.step({ weights, gradient, state, lr, stepNumber, clipFactor: clipFactor(norm, maxNorm) });
      assertClose(weights, expected[stepNumber]!, `weights after update ${stepNumber}`);
    }
    for (const stateName of stateNamesOf(config)) {
      const reference = expectedState[TORCH_STATE[stateName] ?? stateName];
      if (reference !== undefined) assertClose(state[stateName]!, reference, stateName);
    }
  });
}

test('the fixture moves the weights: a frozen optimizer would fail', () => {
  for (const { weights } of fixture.cases) {
    const last = weights[weights.length - 1]!;
    assert.ok(last.some((w, i) => Math.abs(w - fixture.initial[i]!) > 0.01));
    assert.deepEqual(weights[0], fixture.initial, 'the first update has rate 0');
  }
});
