/** The native GELU and dropout against double precision and against `dropoutMask`. */
import assert from 'node:assert/strict';
import { PURPOSE } from '../../src/numbers/random/keyed-random.js';
import { dropoutMask } from '../../src/kernels/dropout-mask.js';
import { GELU_FORM, type DropoutStream } from '../../src/kernels/kernel-api/activation.js';
import { STORAGE, type DeviceBuffer } from '../../src/kernels/kernel-api/memory.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';
import { FLOAT_STORAGES, stored, takeBack, upload, type FloatStorage } from './device-values.js';
import { bitsOf, floats } from './float-samples.js';
import { gelu, type Gelu } from './gelu-reference.js';
import { inEverySetting, kernelTest } from './kernel-settings.js';

/** Around the widths of vectors, and around and above what a thread takes at a time. */
const LENGTHS = [0, 1, 7, 8, 17, 33, 1001, 16_421];
const FORMS = ['tanh', 'erf'] as const;
const KEY = { rate: 0.3, seed: 11, step: 70_000, microBatch: 5 };
const SITE = 9;
const STREAM: DropoutStream = {
  dropBelow: Math.round(KEY.rate * 0x10000),
  kept: 1 / (1 - KEY.rate),
  key: [KEY.seed, PURPOSE.dropout],
  path: [SITE, KEY.microBatch, KEY.step],
};

/** Some [-4, 4], some far out, and the special cases. */
function inputs(length: number, seed: number): Float32Array {
  const values = floats(length, seed, 'normal').map((value, i) => value * (i % 5 === 0 ? 6 : 1.5));
  [0, -0, NaN, Infinity, -Infinity, 1e-30, -1e-30, 1e4, -1e4].forEach((value, i) => {
    if (length > 1000) values[100 * i + 3] = value;
  });
  return values;
}

/** Kernels compute in fp32, so `scale` x 1e-6 is allowed, and half a unit of what the result is stored in. */
function assertClose(
  actual: Float32Array,
  expected: (i: number) => number,
  scale: (i: number) => number,
  storage: FloatStorage,
  what: string,
): void {
  const rounding = storage === 'f32' ? 2 ** -24 : 2 ** -8;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected(i)];
    const allowed = 2e-6 * scale(i) + 1.01 * rounding * Math.abs(e) + 1e-37;
    const good = Number.isFinite(e) ? Math.abs(a - e) <= allowed : Object.is(a, e);
    if (!good) assert.fail(`${what}: ${a} at ${i} instead of ${e}`);
  }
}

/** Calls `body` with both storages of two operands, over all lengths. */
function eachCase(body: (length: number, first: FloatStorage, second: FloatStorage) => void): void {
  for (const length of LENGTHS) {
    for (const first of FLOAT_STORAGES) for (const second of FLOAT_STORAGES) body(length, first, second);
  }
}

/** Of one level the results must be the same on any number of threads. */
class ThreadAgreement {
  readonly #seen = new Map<string, Int32Array>();

  check(setting: string, values: Float32Array): void {
    const level = setting.split(',', 1)[0]!;
    const before = this.#seen.get(level);
    if (before === undefined) this.#seen.set(level, bitsOf(values));
    else assert.deepEqual(bitsOf(values), before, `${setting}: other bits than on one thread`);
  }
}

for (const form of FORMS) {
  kernelTest(`GELU (${form}) is that of double precision, with dropout and without`, (kernels) => {
    eachCase((length, from, to) => {
      const x = stored(inputs(length, length), from);
      const reference = Array.from(x, (value) => gelu(value, form));
      for (const dropout of [undefined, STREAM]) {
        const mask = dropout === undefined ? undefined : dropoutMask(KEY, SITE, length);
        const agreement = new ThreadAgreement();
        inEverySetting(kernels, (setting) => {
          const source = upload(kernels, x, from);
          const target = upload(kernels, new Float32Array(length).fill(7), to);
          kernels.geluForward({ x: source, y: target, length, form: GELU_FORM[form], dropout });
          const y = takeBack(kernels, target, length, to);
          assert.deepEqual(bitsOf(takeBack(kernels, source, length, from)), bitsOf(x), 'x stays');
          const factor = (i: number) => mask?.[i] ?? 1;
          const what = `${length} ${from} to ${to}, ${setting}`;
          assertClose(
            y,
            (i) => reference[i]!.value * factor(i),
            (i) => scaleOf(reference[i]!, factor(i)),
            to,
            what,
          );
          agreement.check(setting, y);
        });
      }
    });
  });

  kernelTest(`GELU (${form}) backward is that of double precision, and gives the output again`, (kernels) => {
    eachCase((length, storageX, storageDh) => {
      const x = stored(inputs(length, length), storageX);
      const dh = stored(floats(length, length + 1, 'normal'), storageDh);
      const reference = Array.from(x, (value) => gelu(value, form));
      const variants = [{}, { keepOutput: true }, { keepOutput: true, dropout: STREAM }];
      for (const variant of variants) {
        const mask = 'dropout' in variant ? dropoutMask(KEY, SITE, length) : undefined;
        const factor = (i: number) => mask?.[i] ?? 1;
        const agreement = new ThreadAgreement();
        inEverySetting(kernels, (setting) => {
          const buffers = { x: upload(kernels, x, storageX), dh: upload(kernels, dh, storageDh) };
          kernels.geluBackward({ ...buffers, length, form: GELU_FORM[form], ...variant });
          const dx = takeBack(kernels, buffers.dh, length, storageDh);
          const h = takeBack(kernels, buffers.x, length, storageX);
          const what = `${length} ${storageX} and ${storageDh}, ${setting}`;
          const slope = (i: number) => dh[i]! * factor(i) * reference[i]!.slope;
          assertClose(dx, slope, (i) => Math.abs(dh[i]! * factor(i)), storageDh, what);
          agreement.check(setting, dx);
          if (!('keepOutput' in variant)) assert.deepEqual(bitsOf(h), bitsOf(x), what);
          else {
            const value = (i: number) => reference[i]!.value * factor(i);
            assertClose(h, value, (i) => scaleOf(reference[i]!, factor(i)), storageX, what);
          }
        });
      }
    });
  });
}

function scaleOf({ x }: Gelu, factor: number): number {
  return Math.min(Math.abs(x), 10) * factor;
}

kernelTest('dropout multiplies by the mask of dropoutMask, bit for bit', (kernels) => {
  for (const rate of [0, 1e-6, 0.1, 0.5, 0.99999]) {
    const key = { ...KEY, rate };
    const stream = { ...STREAM, dropBelow: Math.round(rate * 0x10000), kept: 1 / (1 - rate) };
    eachCase((length, from, to) => {
      const x = stored(inputs(length, 3), from);
      const mask = dropoutMask(key, SITE, length);
      const expected = stored(
        x.map((value, i) => value * mask[i]!),
        to,
      );
      inEverySetting(kernels, (setting) => {
        const source = upload(kernels, x, from);
        const y = upload(kernels, new Float32Array(length), to);
        kernels.dropout({ x: source, y, length, dropout: stream });
        kernels.release(source);
        const what = `rate ${rate}, ${length} ${from} to ${to}, ${setting}`;
        assert.deepEqual(bitsOf(takeBack(kernels, y, length, to)), bitsOf(expected), what);
      });
    });
  }
});

kernelTest('GELU and dropout work in place, and on the front of a longer buffer', (kernels) => {
  const [length, more] = [1001, 1010];
  const x = inputs(more, 4);
  const inPlace = (work: (buffer: DeviceBuffer) => void): Float32Array => {
    const buffer = upload(kernels, x, 'f32');
    work(buffer);
    return takeBack(kernels, buffer, more, 'f32');
  };
  const mask = dropoutMask(KEY, SITE, length);
  inEverySetting(kernels, (setting) => {
    const dropped = inPlace((x) => kernels.dropout({ x, y: x, length, dropout: STREAM }));
    const expected = x.map((value, i) => (i < length ? value * mask[i]! : value));
    assert.deepEqual(bitsOf(dropped), bitsOf(expected), setting);

    const target = upload(kernels, x, 'f32');
    const source = upload(kernels, x, 'f32');
    kernels.geluForward({ x: source, y: target, length, form: GELU_FORM.erf });
    kernels.release(source);
    const apart = takeBack(kernels, target, more, 'f32');
    const within = inPlace((x) => kernels.geluForward({ x, y: x, length, form: GELU_FORM.erf }));
    assert.deepEqual(bitsOf(within), bitsOf(apart), setting);
    assert.deepEqual(within.subarray(length), x.subarray(length), setting);
  });
});

kernelTest('calls that do not fit are refused, by the name of the field', (kernels) => {
  const x = upload(kernels, new Float32Array(8), 'f32');
  const short = upload(kernels, new Float32Array(7), 'bf16');
  const integers = kernels.allocate({ length: 8, storage: STORAGE.i32 });
  const refused = (call: (kernels: Kernels) => void, message: RegExp) =>
    assert.throws(() => call(kernels), message);
  const good = { x, y: x, length: 8, dropout: STREAM };
  const gelus = { x, y: x, length: 8, form: GELU_FORM.tanh };
  const backward = { x, dh: x, length: 8, form: GELU_FORM.tanh };
  refused((by) => by.dropout({ ...good, y: short }), /^TypeError: y: 7 elements where 8 are needed/);
  refused((by) => by.dropout({ ...good, x: integers }), /^TypeError: x: not stored as f32 or bf16/);
  refused((by) => by.dropout({ ...good, dropout: undefined as never }), /^TypeError: dropout: /);
  refused(
    (by) => by.dropout({ ...good, dropout: { ...STREAM, key: [1] as never } }),
    /^TypeError: dropout: /,
  );
  refused(
    (by) => by.dropout({ ...good, dropout: { ...STREAM, kept: '1' as never } }),
    /^TypeError: dropout: /,
  );
  refused((by) => by.geluForward({ ...gelus, form: 2 as never }), /^TypeError: form: /);
  refused((by) => by.geluForward({ ...gelus, length: 9 }), /^TypeError: x: 8 elements where 9 are needed/);
  refused((by) => by.geluBackward({ ...backward, dh: short }), /^TypeError: dh: 7 elements/);
  refused((by) => by.geluBackward({ ...backward, keepOutput: 1 as never }), /^TypeError: keepOutput: /);
  for (const buffer of [x, short, integers]) kernels.release(buffer);
});
