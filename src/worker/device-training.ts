/** Training on a GPU: sums, weights and moments live there, shared memory is brought up to date after every update. */
import { coded } from '../shared/errors.js';
import { deviceLayout } from '../shared/model/device-layout.js';
import type { ParameterSlot } from '../shared/model/parameter-layout.js';
import { DeviceAccumulator } from './collective/device-accumulator.js';
import { withinDevice } from './engine/memory-fit.js';
import { STORAGE, type DeviceBuffer, type GpuKernels } from './engine/native/kernel-api.js';
import { tensorOn } from './engine/native/tensor-buffers.js';
import type { WeightSource } from './engine/placement.js';
import type { TrainingParts } from './host-training.js';
import { deviceOptimizer } from './optimizer/device-optimizer.js';
import { clipFactor, powerOfTwo } from './optimizer/gradient-scaling.js';
import type { Training, UpdatePlan } from './training.js';

/** An array of shared memory and its mirror, in the layout of the GPU. */
interface Mirror {
  readonly host: Float32Array | Int32Array;
  readonly buffer: DeviceBuffer;
}

export class DeviceTraining implements Training {
  readonly accumulator: DeviceAccumulator;
  readonly #parts: TrainingParts;
  readonly #kernels: GpuKernels;
  readonly #offsets: readonly number[];
  readonly #weights: Mirror;
  /** Moments and moving average, by name. */
  readonly #moments: Readonly<Record<string, Mirror>>;
  readonly #reduced: Mirror;
  /** The reduced sums, scaled back in place. */
  readonly #gradient: DeviceBuffer;
  /** The weights in bf16; undefined where products take fp32. */
  readonly #shadow: DeviceBuffer | undefined;
  readonly #update: ReturnType<typeof deviceOptimizer>;

  constructor(parts: TrainingParts, kernels: GpuKernels) {
    const { layout, state, config } = parts;
    const { shared } = state;
    const { offsets, length } = deviceLayout(layout);
    this.#parts = parts;
    this.#kernels = kernels;
    this.#offsets = offsets;
    const mirror = (host: Float32Array | Int32Array): Mirror => {
      const storage = host instanceof Int32Array ? STORAGE.i32 : STORAGE.f32;
      const buffer = kernels.allocate({ length, storage });
      // The gaps too: they are read with their neighbours.
      kernels.clear({ buffer });
      kernels.registerHost({ array: host });
      return { host, buffer };
    };
    this.#weights = mirror(state.weights);
    this.#moments = Object.fromEntries(
      Object.entries(state.moments).map(([name, array]) => [name, mirror(array)]),
    );
    const exact = shared.kind === 'exact';
    this.#reduced = mirror(exact ? new Int32Array(shared.reduced) : new Float32Array(shared.reduced));
    this.#gradient = kernels.view({ buffer: this.#reduced.buffer, storage: STORAGE.f32 });
    const inBf16 = config.precision === 'bf16';
    this.#shadow = inBf16 ? kernels.allocate({ length, storage: STORAGE.bf16 }) : undefined;
    const mine = exact ? new Int32Array(shared.mine) : new Float32Array(shared.mine);
    this.accumulator = new DeviceAccumulator(kernels, layout, shared.kind, mine);
    this.#update = deviceOptimizer(config, layout, kernels, {
      ...{ weights: this.#weights.buffer, gradient: this.#gradient, shadow: this.#shadow },
      state: Object.fromEntries(Object.entries(this.#moments).map(([name, { buffer }]) => [name, buffer])),
    });
  }

  async reload(): Promise<void> {
    await Promise.all([this.#weights, ...Object.values(this.#moments)].flatMap((m) => this.#upload(m)));
    const shadow = this.#shadow;
    if (shadow !== undefined) {
      const { length } = deviceLayout(this.#parts.layout);
      this.#kernels.convert({ x: this.#weights.buffer, y: shadow, length });
    }
    this.resume();
  }

  resume(): void {
    const offsetOf = new Map(this.#parts.layout.slots.map(({ name }, i) => [name, this.#offsets[i]!]));
    const view = (buffer: DeviceBuffer, { name, length }: ParameterSlot): DeviceBuffer =>
      this.#kernels.view({ buffer, offset: offsetOf.get(name)!, length });
    const shadow = this.#shadow;
    const source: WeightSource = {
      tensor: (slot, shape) => tensorOn(view(this.#weights.buffer, slot), shape),
      operand: (slot, { shape }) =>
        shadow === undefined ? undefined : tensorOn(view(shadow, slot), shape, STORAGE.bf16),
      transposed: false,
    };
    this.#parts.engine.useWeights(source);
  }

  async update({ exponents, samples, step, learningRate }: UpdatePlan): Promise<number> {
    const { layout, config, state } = this.#parts;
    await Promise.all(this.#upload(this.#reduced));
    const { slots } = layout;
    const exact = state.shared.kind === 'exact';
    const squares = new Float64Array(slots.length);
    // The kernels take scratch memory.
    withinDevice(this.#parts.engine.backend, () =>
      this.#kernels.scaleGradient({
        source: this.#reduced.buffer,
        out: this.#gradient,
        offsets: Float64Array.from(this.#offsets),
        lengths: Float64Array.from(slots, ({ length }) => length),
        scales: Float64Array.from(slots, (_, i) => (exact ? powerOfTwo(-exponents[i]!) : 1) / samples),
        squares,
      }),
    );
    // Squares of float32 values cannot overflow a double: the sum is finite exactly if every element is.
    const tensor = slots[squares.findIndex((square) => !Number.isFinite(square))]?.name;
    if (tensor !== undefined) throw coded('GRADIENT_NOT_FINITE', { tensor, step });
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    withinDevice(this.#parts.engine.backend, () =>
      this.#update({ lr: learningRate, stepNumber: step, clipFactor: clipFactor(norm, config.clipNorm) }),
    );
    await Promise.all([this.#weights, ...Object.values(this.#moments)].flatMap((m) => this.#download(m)));
    return norm;
  }

  /** Gives the GPU's memory back, the engine's weights first: they are views on it. Nothing may be under way. */
  dispose(): void {
    this.#parts.engine.dispose();
    this.accumulator.dispose();
    this.#kernels.release(this.#gradient);
    if (this.#shadow !== undefined) this.#kernels.release(this.#shadow);
    for (const { host, buffer } of [this.#weights, this.#reduced, ...Object.values(this.#moments)]) {
      this.#kernels.unregisterHost({ array: host });
      this.#kernels.release(buffer);
    }
  }

  #ranges({ host, buffer }: Mirror): Parameters<GpuKernels['readRange']>[0][] {
    return this.#parts.layout.slots.map(({ offset, length }, i) => ({
      ...{ buffer, offset: this.#offsets[i]!, length },
      ...{ values: host, valuesOffset: offset },
    }));
  }

  #upload(mirror: Mirror): Promise<void>[] {
    return this.#ranges(mirror).map((range) => this.#kernels.writeRange(range));
  }

  #download(mirror: Mirror): Promise<void>[] {
    return this.#ranges(mirror).map((range) => this.#kernels.readRange(range));
  }
}
