/**
 * Training on a GPU. Sums, weights and moments live there, and are copied to shared memory after every
 * update.
 */
import { coded } from '../../errors/errors.js';
import { copyRanges, deviceLayout, type CopyRange } from '../../run/model/device-layout.js';
import type { ParameterLayout, ParameterSlot } from '../../run/model/parameter-layout.js';
import { trainedLayout } from '../../run/model/trained-parameters.js';
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
  readonly ranges: readonly CopyRange[];
}

export class DeviceTraining implements Training {
  readonly accumulator: DeviceAccumulator;
  readonly #services: TrainingServices;
  readonly #kernels: GpuKernels;
  /** Positions by name, in elements of the GPU's arrays. */
  readonly #offsets: ReadonlyMap<string, number>;
  readonly #trained: ParameterLayout;
  /** [slots] of what is trained, as kernels take them. */
  readonly #tensorRanges: { readonly offsets: Float64Array; readonly lengths: Float64Array };
  readonly #weights: Mirror;
  /** Moments and moving average, by name. */
  readonly #moments: Readonly<Record<string, Mirror>>;
  readonly #reduced: Mirror;
  /** The reduced sums, scaled back in place. */
  readonly #gradient: DeviceBuffer;
  /** The weights in bf16; undefined if gemms take fp32. */
  readonly #shadow: DeviceBuffer | undefined;
  /** Of weights, shadow and moving average: what is trained of them. */
  readonly #views: DeviceBuffer[] = [];
  readonly #update: ReturnType<typeof deviceOptimizer>;

  constructor(services: TrainingServices, kernels: GpuKernels) {
    const { layout, state, config } = services;
    const { shared } = state;
    const { offsets, length } = deviceLayout(layout);
    this.#services = services;
    this.#kernels = kernels;
    this.#offsets = new Map(layout.slots.map(({ name }, i) => [name, offsets[i]!]));
    this.#trained = trainedLayout(layout, config.freeze);
    const trained = deviceLayout(this.#trained);
    this.#tensorRanges = {
      offsets: Float64Array.from(trained.offsets),
      lengths: Float64Array.from(this.#trained.slots, (slot) => slot.length),
    };
    const mirror = (host: Vector, of: ParameterLayout): Mirror => {
      const storage = host instanceof Int32Array ? STORAGE.i32 : STORAGE.f32;
      const buffer = kernels.allocate({ length: deviceLayout(of).length, storage });
      // The gaps are set too, because they are read together with their neighbours.
      kernels.clear({ buffer });
      kernels.registerHost({ array: host });
      return { host, buffer, ranges: copyRanges(of) };
    };
    this.#weights = mirror(state.weights, layout);
    this.#moments = Object.fromEntries(
      Object.entries(state.moments).map(([name, array]) => [
        name,
        mirror(array, name === 'ema' ? layout : this.#trained),
      ]),
    );
    this.#reduced = mirror(vectorOf(shared.kind, shared.reduced), this.#trained);
    this.#gradient = kernels.view({ buffer: this.#reduced.buffer, storage: STORAGE.f32 });
    const inBf16 = config.precision === 'bf16';
    this.#shadow = inBf16 ? kernels.allocate({ length, storage: STORAGE.bf16 }) : undefined;
    const mine = vectorOf(shared.kind, shared.mine);
    this.accumulator = new DeviceAccumulator(kernels, this.#trained, shared.kind, mine);
    // Slots have the same gaps everywhere, so what is trained lies in the whole array as in one of its own.
    const trainedOf = (buffer: DeviceBuffer): DeviceBuffer => {
      if (trained.length === length) return buffer;
      const view = kernels.view({ buffer, offset: length - trained.length, length: trained.length });
      this.#views.push(view);
      return view;
    };
    this.#update = deviceOptimizer(config, this.#trained, kernels, {
      weights: trainedOf(this.#weights.buffer),
      gradient: this.#gradient,
      shadow: this.#shadow && trainedOf(this.#shadow),
      state: Object.fromEntries(
        Object.entries(this.#moments).map(([name, { buffer }]) => [
          name,
          name === 'ema' ? trainedOf(buffer) : buffer,
        ]),
      ),
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
    const { config, state } = this.#services;
    await Promise.all(this.#upload(this.#reduced));
    const { slots } = this.#trained;
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
    for (const view of [this.#gradient, ...this.#views]) this.#kernels.release(view);
    if (this.#shadow !== undefined) this.#kernels.release(this.#shadow);
    for (const { host, buffer } of [this.#weights, this.#reduced, ...Object.values(this.#moments)]) {
      this.#kernels.unregisterHost({ array: host });
      this.#kernels.release(buffer);
    }
  }

  #upload(mirror: Mirror): Promise<void>[] {
    return mirror.ranges.map((range) => this.#kernels.writeRange(between(mirror, range)));
  }

  #download(mirror: Mirror): Promise<void>[] {
    return mirror.ranges.map((range) => this.#kernels.readRange(between(mirror, range)));
  }
}

function between({ host, buffer }: Mirror, { offset, hostOffset, length }: CopyRange): HostRange {
  return { buffer, offset, length, values: host, valuesOffset: hostOffset };
}
