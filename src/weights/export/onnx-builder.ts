/** Collects the nodes and constants of an ONNX graph. Pure. */
import { toFloat16 } from './float16.js';
import { ELEMENT, type Attributes, type OnnxNode, type OnnxTensor } from './onnx-messages.js';

export type OnnxPrecision = 'fp32' | 'fp16';

/** A message of protobuf, which an ONNX file is, has less than 2 GiB. Nodes and names need a little of it. */
const MOST_BYTES = 2 ** 31 - 2 ** 24;

/** Why a model of so many parameters cannot be one ONNX file; null if it can. */
export function onnxObstacle(parameters: number, precision: OnnxPrecision): string | null {
  const bytes = parameters * (precision === 'fp32' ? 4 : 2);
  if (bytes <= MOST_BYTES) return null;
  const half = bytes / 2 <= MOST_BYTES && precision === 'fp32' ? '; half of that with --precision fp16' : '';
  return `an ONNX file has at most 2.1 GB, and the weights take ${(bytes / 1e9).toFixed(1)} GB${half}`;
}

function littleEndian(bytes: number, write: (view: DataView) => void): Uint8Array {
  const out = new Uint8Array(bytes);
  write(new DataView(out.buffer));
  return out;
}

/** Names are values of the graph: what a method returns is given to another. */
export class OnnxBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxTensor[] = [];
  readonly #precision: OnnxPrecision;
  readonly #lists = new Map<string, string>();
  #count = 0;

  constructor(precision: OnnxPrecision) {
    this.#precision = precision;
  }

  /** The element type in which the graph computes. */
  get element(): number {
    return this.#precision === 'fp32' ? ELEMENT.float : ELEMENT.float16;
  }

  /** Adds a node with one output. */
  add(opType: string, input: readonly string[], attributes: Attributes = {}, name?: string): string {
    const output = name ?? `${opType.toLowerCase()}_${this.#count++}`;
    this.nodes.push({ opType, input, output: [output], attributes });
    return output;
  }

  /** Adds a constant in the precision of the graph. */
  floats(name: string, dims: readonly number[], values: Float32Array): string {
    const half = this.#precision === 'fp16';
    const rawData = half
      ? littleEndian(values.length * 2, (view) => {
          for (const [i, value] of values.entries()) view.setUint16(2 * i, toFloat16(value), true);
        })
      : littleEndian(values.length * 4, (view) => {
          for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
        });
    this.initializers.push({ name, dims, dataType: this.element, rawData });
    return name;
  }

  scalar(name: string, value: number): string {
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    this.#lists.set(name, name);
    return this.floats(name, [], Float32Array.of(value));
  }

  /** Adds a list of whole numbers, as shapes and positions are; a list that is there already is taken again. */
  integers(values: readonly number[], dims: readonly number[] = [values.length]): string {
    const name = `integers_${dims.length}_${values.join('_')}`;
    if (this.#lists.has(name)) return name;
    this.#lists.set(name, name);
    const rawData = littleEndian(values.length * 8, (view) => {
      for (const [i, value] of values.entries()) view.setBigInt64(8 * i, BigInt(value), true);
    });
    this.initializers.push({ name, dims, dataType: ELEMENT.int64, rawData });
    return name;
  }
}
