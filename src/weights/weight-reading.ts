/** Reads the tensors of a recognised model into one flat array in our layout. */
import { coded } from '../errors/errors.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import { gathered, stridesOf } from './format/strided.js';
import type { TensorFile } from './file/tensor-file.js';
import type { SlotSource } from './names/slot-source.js';
import type { SourceModel } from './names/source-model.js';

async function valuesOf(file: TensorFile, name: string, axes: readonly number[] | undefined) {
  const values = await file.read(name);
  if (axes === undefined) return values;
  const { shape } = file.tensors.get(name)!;
  const strides = stridesOf(shape);
  return gathered(
    values,
    axes.map((axis) => shape[axis]!),
    axes.map((axis) => strides[axis]!),
  );
}

/** Fills `into` with what `source` says. @param width elements of a row */
async function fill(file: TensorFile, source: SlotSource, into: Float32Array, width: number): Promise<void> {
  let at = 0;
  for (const name of source.tensors) {
    const all = await valuesOf(file, name, source.axes);
    const [from, to] = source.rows ?? [];
    const values = from === undefined || to === undefined ? all : all.subarray(from * width, to * width);
    if (at + values.length > into.length) {
      throw coded('INTERNAL', { reason: `${name} has ${values.length} values for ${into.length}` });
    }
    into.set(values, at);
    at += values.length;
  }
  if (source.plus === undefined) return;
  const added = new Float32Array(into.length);
  await fill(file, source.plus, added, width);
  for (let i = 0; i < into.length; i++) into[i]! += added[i]!;
}

/** All parameters of `model`, flat, in the order of its layout. @throws WEIGHTS_* */
export async function readModelWeights(
  file: TensorFile,
  { spec, sources }: SourceModel,
): Promise<Float32Array> {
  const layout = parameterLayout(spec);
  const flat = new Float32Array(layout.length);
  for (const { name, shape, offset, length } of layout.slots) {
    if (length === 0) continue;
    const source = sources(name);
    if (source === null) throw coded('INTERNAL', { reason: `nothing gives ${name}` });
    await fill(file, source, flat.subarray(offset, offset + length), shape.at(-1)!);
  }
  return flat;
}
