/**
 * Training on a GPU. Sums, weights and moments live there, and are copied to shared memory after every
 * update.
 */
import { coded } from '../../errors/errors.js';
import { copyRanges, deviceLayout, type CopyRange } from '../../run/model/device-layout.js';
import type { ParameterSlot } from '../../run/model/parameter-layout.js';
import { DeviceAccumulator } from '../../collective/sums/device-accumulator.js';
import { vectorOf, type Vector } from '../../collective/sums/vector.js';
import { withinDevice } from '../../nn/engine/memory-fit.js';
import { STORAGE, type DeviceBuffer, type GpuKernels } from '../../kernels/kernel-api.js';
import type { HostRange } from '../../kernels/kernel-api/device-copies.js';
import { bf16Copy, tensorOn } from '../../nn/backend/tensor-buffers.js';
import type { WeightSource } from '../../nn/tensor-maker.js';
import { deviceOptimizer } from '../optimizer/device-optimizer.js';
import { clipFactor, judged, scalesOf } from '../optimizer/gradient-scaling.js';
import { averagedWeights, type Training, type TrainingServices, type UpdatePlan } from './training.js';

/** An array of shared memory and its mirror, in the layout of the GPU. */
interface Mirror {
  readonly host: Vector;
  readonly buffer: DeviceBuffer;
}

export class DeviceTraining implements Training {
  readonly accumulator: DeviceAccumulator;
  readonly #services: TrainingServices;
  readonly #kernels: GpuKernels;
  /** Positions by name, in elements of the GPU's arrays. */
  readonly #offsets: ReadonlyMap<string, number>;
  readonly #ranges: readonly CopyRange[];
  /** [slots], as kernels take them. */
  readonly #tensorRanges: { readonly offsets: Float64Array; readonly lengths: Float64Array };
  readonly #weights: Mirror;
  /** Moments and moving average, by name. */
  readonly #moments: Readonly<Record<string, Mirror>>;
  readonly #reduced: Mirror;
  /** The reduced sums, scaled back in place. */
  readonly #gradient: DeviceBuffer;
  /** The weights in bf16; undefined if gemms take fp32. */
  readonly #shadow: DeviceBuffer | undefined;
  readonly #update: ReturnType<typeof deviceOptimizer>;

  constructor(services: TrainingServices, kernels: GpuKernels) {
    const { layout, state, config } = services;
    const { shared } = state;
    const { offsets, length } = deviceLayout(layout);
    this.#services = services;
    this.#kernels = kernels;
    this.#offsets = new Map(layout.slots.map(({ name }, i) => [name, offsets[i]!]));
    this.#ranges = copyRanges(layout);
    const lengths = Float64Array.from(layout.slots, (slot) => slot.length);
    this.#tensorRanges = { offsets: Float64Array.from(offsets), lengths };
    const mirror = (host: Vector): Mirror => {
      const storage = host instanceof Int32Array ? STORAGE.i32 : STORAGE.f32;
      const buffer = kernels.allocate({ length, storage });
      // The gaps are set too, because they are read together with their neighbours.
      kernels.clear({ buffer });
      kernels.registerHost({ array: host });
      return { host, buffer };
    };
    this.#weights = mirror(state.weights);
    this.#moments = Object.fromEntries(
      Object.entries(state.moments).map(([name, array]) => [name, mirror(array)]),
    );
    this.#reduced = mirror(vectorOf(shared.kind, shared.reduced));
    this.#gradient = kernels.view({ buffer: this.#reduced.buffer, storage: STORAGE.f32 });
    const inBf16 = config.precision === 'bf16';
    this.#shadow = inBf16 ? kernels.allocate({ length, storage: STORAGE.bf16 }) : undefined;
    const mine = vectorOf(shared.kind, shared.mine);
    this.accumulator = new DeviceAccumulator(kernels, layout, shared.kind, mine);
    this.#update = deviceOptimizer(config, layout, kernels, {
      weights: this.#weights.buffer,
      gradient: this.#gradient,
      shadow: this.#shadow,
      state: Object.fromEntries(Object.entries(this.#moments).map(([name, { buffer }]) => [name, buffer])),
    });
  }

  async reload(): Promise<void> {
    await Promise.all([this.#weights, ...Object.values(this.#moments)].flatMap((m) => this.#upload(m)));
    const shadow = this.#shadow;
    if (shadow !== undefined) {
      const { length } = deviceLayout(this.#services.layout);
      this.#kernels.convert({ x: this.#weights.buffer, y: shadow, length });
    }
    this.show('weights');
  }

  show(which: 'weights' | 'ema'): void {
    const { buffer } = which === 'ema' ? averagedWeights(this.#moments['ema']) : this.#weights;
    const view = (of: DeviceBuffer, { name, length }: ParameterSlot): DeviceBuffer =>
      this.#kernels.view({ buffer: of, offset: this.#offsets.get(name)!, length });
    const shadow = this.#shadow;
    const operand: WeightSource['operand'] = (slot, { shape }) => {
      if (shadow === undefined) return undefined;
      if (which === 'weights') return tensorOn(view(shadow, slot), shape, STORAGE.bf16);
      // The moving average in bf16 is needed only here, so it is made only now.
      const weight = view(buffer, slot);
      try {
        return bf16Copy(weight, shape);
      } finally {
        this.#kernels.release(weight);
      }
    };
    const tensor: WeightSource['tensor'] = (slot, shape) => tensorOn(view(buffer, slot), shape);
    this.#services.engine.useWeights({ tensor, operand, transposed: false });
  }

  async update({ exponents, samples, step, learningRate }: UpdatePlan): Promise<number> {
    const { layout, config, state } = this.#services;
    await Promise.all(this.#upload(this.#reduced));
    const { slots } = layout;
    const squares = new Float64Array(slots.length);
    const scales = scalesOf(state.shared.kind, exponents, samples, slots);
    const { backend } = this.#services.engine;
    // The kernels take scratch memory.
    withinDevice(backend, () =>
      this.#kernels.scaleGradient({
        source: this.#reduced.buffer,
        out: this.#gradient,
        ...this.#tensorRanges,
        scales,
        squares,
      }),
    );
    const { norm, notFinite } = judged(squares, slots);
    if (notFinite !== null) throw coded('GRADIENT_NOT_FINITE', { tensor: notFinite, step });
    withinDevice(backend, () =>
      this.#update({ lr: learningRate, stepNumber: step, clipFactor: clipFactor(norm, config.clipNorm) }),
    );
    await Promise.all([this.#weights, ...Object.values(this.#moments)].flatMap((m) => this.#download(m)));
    return norm;
  }

  /** Releases the GPU's memory, after the engine's weights, which are views on it. No copy may be under way. */
  dispose(): void {
    this.#services.engine.dispose();
    this.accumulator.dispose();
    this.#kernels.release(this.#gradient);
    if (this.#shadow !== undefined) this.#kernels.release(this.#shadow);
    for (const { host, buffer } of [this.#weights, this.#reduced, ...Object.values(this.#moments)]) {
      this.#kernels.unregisterHost({ array: host });
      this.#kernels.release(buffer);
    }
  }

  #upload(mirror: Mirror): Promise<void>[] {
    return this.#ranges.map((range) => this.#kernels.writeRange(between(mirror, range)));
  }

  #download(mirror: Mirror): Promise<void>[] {
    return this.#ranges.map((range) => this.#kernels.readRange(between(mirror, range)));
  }
}

function between({ host, buffer }: Mirror, { offset, hostOffset, length }: CopyRange): HostRange {
  return { buffer, offset, length, values: host, valuesOffset: hostOffset };
}
