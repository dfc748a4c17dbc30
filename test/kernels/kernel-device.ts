/** What kernel tests share: every level with one thread and two, numbers to work on, comparison with a reference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadKernels } from '../../src/kernels/addon.js';
import type { Kernels } from '../../src/kernels/kernel-api.js';
import {
  STORAGE,
  type DeviceBuffer,
  type HostArray,
  type Storage,
} from '../../src/kernels/kernel-api/memory.js';
import { THREADS } from './kernel-settings.js';

const loaded = loadKernels();
const KERNELS = loaded.kernels;
const SKIP = loaded.kernels === undefined ? loaded.reason : false;

/** The upper halves of floats: nearest bf16, halves to even; NaN stays NaN. */
function narrowed(values: ArrayLike<number>): Uint16Array {
  const words = new Uint32Array(new Float32Array(values).buffer);
  const halves = new Uint16Array(words.length);
  words.forEach((word, i) => {
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = isNan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
  return halves;
}

function widened(halves: Uint16Array): Float32Array {
  return new Float32Array(new Uint32Array(halves).map((half) => half << 16).buffer);
}

export function roundedToBf16(values: ArrayLike<number>): Float32Array {
  return widened(narrowed(values));
}

/** One value of `roundedToBf16`. */
export function roundToBf16(value: number): number {
  return roundedToBf16([value])[0]!;
}

const HOST = {
  [STORAGE.f32]: Float32Array,
  [STORAGE.bf16]: Uint16Array,
  [STORAGE.i32]: Int32Array,
  [STORAGE.u8]: Uint8Array,
};

/** The kernels at one level with some threads, and the buffers of one test. */
export class KernelDevice {
  readonly kernels: Kernels;
  readonly level: string;
  /** All that was read, in order: the same on any number of threads. */
  readonly seen: HostArray[] = [];
  readonly #buffers: (readonly [DeviceBuffer, Storage])[] = [];

  constructor(kernels: Kernels, level: string, threads: number) {
    this.kernels = kernels;
    this.level = level;
    kernels.configure({ level, threads });
  }

  /** A buffer with these values, rounded to `storage`. */
  hold(values: ArrayLike<number>, storage: Storage = STORAGE.f32): DeviceBuffer {
    const buffer = this.space(values.length, storage);
    const host = storage === STORAGE.bf16 ? narrowed(values) : HOST[storage].from(values);
    this.kernels.write({ buffer, values: host });
    return buffer;
  }

  /** A buffer of `length` elements full of garbage. */
  space(length: number, storage: Storage = STORAGE.f32): DeviceBuffer {
    const buffer = this.kernels.allocate({ length, storage });
    this.#buffers.push([buffer, storage]);
    this.kernels.write({ buffer, values: new HOST[storage](length).fill(77) });
    return buffer;
  }

  /** The first `length` elements, bf16 widened. */
  read(buffer: DeviceBuffer, length: number): Float32Array | Int32Array | Uint8Array {
    const storage = this.#buffers.find(([known]) => known === buffer)![1];
    const values = new HOST[storage](length);
    this.kernels.read({ buffer, values });
    this.seen.push(values);
    return values instanceof Uint16Array ? widened(values) : values;
  }

  releaseAll(): void {
    for (const [buffer] of this.#buffers.splice(0)) this.kernels.release(buffer);
  }
}

/**
 * A test at every level, with one thread and with two where threads count: what it reads must be the same bits.
 * @param skip why it is skipped, where it is
 */
export function testKernels(
  name: string,
  body: (device: KernelDevice) => void,
  skip: string | false = SKIP,
): void {
  test(name, { skip }, () => {
    const kernels = KERNELS!;
    for (const level of kernels.levels()) {
      const [one, ...others] = THREADS.map((threads) => {
        const device = new KernelDevice(kernels, level, threads);
        const before = kernels.memory().blocksInUse;
        try {
          body(device);
        } finally {
          device.releaseAll();
        }
        assert.equal(kernels.memory().blocksInUse, before, 'blocks are left over');
        return device.seen.map((values) => new Uint8Array(values.buffer, 0, values.byteLength));
      });
      for (const two of others) assert.deepEqual(two, one, `${level}: other bits on two threads`);
    }
  });
}

/** Numbers of about a standard normal distribution, the same for the same seed. */
export function normals(count: number, seed: number): Float32Array {
  let state = Math.imul(seed + 1, 0x9e3779b9) >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => (uniform() + uniform() + uniform() - 1.5) * 2);
}

/** As far as `tolerance` times (1 + |expected|) apart, NaN and infinities as expected. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    const fits = Object.is(a, e) || a === e || Math.abs(a - e) <= tolerance * (1 + Math.abs(e));
    if (!fits) assert.fail(`${what}: element ${i} is ${a}, expected ${e} within ${tolerance}`);
  }
}
