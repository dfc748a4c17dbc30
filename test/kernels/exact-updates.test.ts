/** The native optimizers against those in TypeScript, bit for bit. */
import assert from 'node:assert/strict';
import type { Kernels } from '../../src/kernels/kernel-api.js';
import { adamUpdate } from '../../src/worker/optimizer/adam-update.js';
import { momentumUpdate } from '../../src/worker/optimizer/momentum-update.js';
import {
  averageUpdate,
  createOptimizer,
  initialiseState,
  stateNamesOf,
  type OptimizerConfig,
} from '../../src/worker/optimizer/optimizer.js';
import type { ParameterLayout } from '../../src/run/model/parameter-layout.js';
import { bitsOf, floats, LENGTHS, type Mixture } from './float-samples.js';
import { inEverySetting, onProcessorOnly } from './kernel-settings.js';

const MIXTURES: readonly Mixture[] = ['normal', 'any', 'special'];
/** Elements before and after the range, which must stay as they are. */
const MARGIN = 3;

type Arrays = Readonly<Record<string, Float32Array>>;

/** Arrays of MARGIN + length + MARGIN elements by name; squares where a name says so. */
function sampled(names: readonly string[], length: number, mixture: Mixture): Arrays {
  const all = length + 2 * MARGIN;
  const entries = names.map((name, i) => {
    const values = floats(all, length + 1000 * i, mixture);
    if (name === 'expAvgSq') values.forEach((value, at) => (values[at] = Math.abs(value)));
    return [name, values] as const;
  });
  return Object.fromEntries(entries);
}

const copyOf = (arrays: Arrays): Arrays =>
  Object.fromEntries(
    Object.entries(arrays).map(([name, values]) => {
      const copy = new Float32Array(new SharedArrayBuffer(values.byteLength));
      copy.set(values);
      return [name, copy];
    }),
  );

function assertSame(actual: Arrays, expected: Arrays, what: string): void {
  for (const [name, values] of Object.entries(expected)) {
    assert.deepEqual(bitsOf(actual[name]!), bitsOf(values), `${name}, ${what}`);
  }
}

/** Runs both on the same arrays, at every length and setting. */
function compare(
  kernels: Kernels,
  names: readonly string[],
  mixture: Mixture,
  plain: (arrays: Arrays, start: number, end: number) => void,
  native: (arrays: Arrays, offset: number, length: number) => void,
): void {
  for (const length of LENGTHS) {
    const start = sampled(names, length, mixture);
    const expected = copyOf(start);
    plain(expected, MARGIN, MARGIN + length);
    inEverySetting(kernels, (setting) => {
      const actual = copyOf(start);
      native(actual, MARGIN, length);
      assertSame(actual, expected, `${length} elements, ${setting}`);
    });
  }
}

const ADAM = { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, clipFactor: 0.37 };
const ADAMS = [
  { ...ADAM, firstCorrection: 10, secondCorrection: 31.6, coupledDecay: 0, decoupledDecay: 0.3 },
  { ...ADAM, firstCorrection: 1.3, secondCorrection: 1.1, coupledDecay: 0.3, decoupledDecay: 0 },
];

for (const mixture of MIXTURES) {
  onProcessorOnly(`Adam updates ${mixture} values as adamUpdate does`, (kernels) => {
    for (const by of ADAMS) {
      compare(
        kernels,
        ['weights', 'gradient', 'expAvg', 'expAvgSq'],
        mixture,
        (arrays, start, end) => {
          adamUpdate(adamArrays(arrays), start, end, by);
        },
        (arrays, offset, length) => {
          kernels.adamUpdate({ ...adamArrays(arrays), offset, length, ...by });
        },
      );
    }
  });

  onProcessorOnly(`SGD updates ${mixture} values as momentumUpdate does`, (kernels) => {
    const by = { lr: 0.03, momentum: 0.9, clipFactor: 0.77, weightDecay: 1e-4 };
    const arraysOf = ({ weights, gradient, momentumBuffer }: Arrays) => ({
      weights: weights!,
      gradient: gradient!,
      momentumBuffer: momentumBuffer!,
    });
    compare(
      kernels,
      ['weights', 'gradient', 'momentumBuffer'],
      mixture,
      (arrays, start, end) => {
        momentumUpdate(arraysOf(arrays), start, end, by);
      },
      (arrays, offset, length) => {
        kernels.momentumUpdate({ ...arraysOf(arrays), offset, length, ...by });
      },
    );
  });

  onProcessorOnly(`the moving average of ${mixture} values is averageUpdate's`, (kernels) => {
    compare(
      kernels,
      ['average', 'weights'],
      mixture,
      ({ average, weights }) => {
        averageUpdate(average!, weights!, 0.9998);
      },
      ({ average, weights }) => {
        kernels.averageUpdate({ average: average!, weights: weights!, decay: 0.9998 });
      },
    );
  });
}

function adamArrays({ weights, gradient, expAvg, expAvgSq }: Arrays) {
  return { weights: weights!, gradient: gradient!, expAvg: expAvg!, expAvgSq: expAvgSq! };
}

const layout: ParameterLayout = {
  slots: [
    { name: 'k', shape: [1001], kind: 'kernel', offset: 0, length: 1001 },
    { name: 'b', shape: [77], kind: 'bias', offset: 1001, length: 77 },
  ],
  length: 1078,
};

onProcessorOnly(
  'ten steps of every optimizer leave the same weights and state with kernels and without',
  (kernels) => {
    for (const optimizer of ['adamw', 'adam', 'sgd'] as const) {
      const config: OptimizerConfig = {
        optimizer,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        momentum: 0.9,
        weightDecay: 0.1,
        decayOn: 'kernels',
        emaDecay: 0.99,
      };
      const run = (with_: Kernels | undefined): Arrays => {
        const instance = createOptimizer(config, layout, with_);
        const weights = floats(layout.length, 1, 'normal');
        const state = Object.fromEntries(
          stateNamesOf(config).map((name) => [name, new Float32Array(layout.length)]),
        );
        initialiseState(config, state, weights);
        for (let stepNumber = 0; stepNumber < 10; stepNumber++) {
          const gradient = floats(layout.length, 2 + stepNumber, 'normal');
          instance.step({ weights, gradient, state, lr: 0.01, stepNumber, clipFactor: 0.5 });
        }
        return { weights, ...state };
      };
      assertSame(run(kernels), run(undefined), optimizer);
    }
  },
);

onProcessorOnly('an update that would leave an array is refused, by the name of the field', (kernels) => {
  const eight = () => new Float32Array(8);
  const arrays = { weights: eight(), gradient: eight(), expAvg: eight(), expAvgSq: eight() };
  const range = { offset: 0, length: 8 };
  const by = ADAMS[0]!;
  for (const name of Object.keys(arrays)) {
    const short = { ...arrays, [name]: new Float32Array(7) };
    assert.throws(
      () => {
        kernels.adamUpdate({ ...short, ...range, ...by });
      },
      new RegExp(`^TypeError: ${name}: 7 elements where 8 are needed`),
    );
  }
  for (const name of Object.keys(by)) {
    assert.throws(
      () => {
        kernels.adamUpdate({ ...arrays, ...range, ...by, [name]: undefined });
      },
      new RegExp(`^TypeError: ${name}: a number is missing`),
    );
  }
  assert.throws(() => {
    kernels.averageUpdate({ average: eight(), weights: new Float32Array(7), decay: 0.9 });
  }, /^TypeError: weights: /);
});
