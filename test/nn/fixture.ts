/** Reads the PyTorch reference numbers that test/fixtures/model/make_fixtures.py and make_timm_fixtures.py wrote. */
import { readFileSync } from 'node:fs';
import { PAPER_FEATURES, type ModelFeatures } from '../../src/run/model/model-features.js';
import type { GeluForm, ModelSpec } from '../../src/run/model/model-spec.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';

interface Header {
  readonly case: {
    readonly image: number;
    readonly patch: number;
    readonly hidden: number;
    readonly heads: number;
    readonly mlp: number;
    readonly layers: number;
    readonly classes: number;
    readonly pre_logits: number;
    readonly gelu: GeluForm;
    readonly smoothing: number;
    /** Those that are not the paper's. */
    readonly features?: Partial<ModelFeatures>;
  };
  readonly labels: number[];
  readonly tensors: { readonly name: string; readonly shape: number[]; readonly offset: number }[];
}

/** Of torchvision's model, and of timm's with features that the paper's has not. */
export const FIXTURES = [
  'erf',
  'tanh',
  'pre-logits',
  'timm-average',
  'timm-average-of-normed',
  'timm-class-token-and-average',
  'timm-distilled',
];

export interface Fixture {
  readonly spec: ModelSpec;
  readonly smoothing: number;
  readonly labels: Int32Array;
  /** In the order of the parameter layout. */
  readonly weights: Float32Array;
  /** A stored tensor: patches, logits, losses, weight:NAME or gradient:NAME. */
  readonly tensor: (name: string) => Float32Array;
}

export function readFixture(name: string): Fixture {
  const path = `test/fixtures/model/${name}`;
  const header = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Header;
  const bytes = readFileSync(`${path}.bin`);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const { image, pre_logits: preLogits, smoothing, features, ...sizes } = header.case;
  const named = { name: `fixture-${name}`, imageSize: image, preLogits };
  const spec: ModelSpec = { ...named, ...sizes, ...PAPER_FEATURES, ...features };

  const tensor = (wanted: string): Float32Array => {
    const entry = header.tensors.find((listed) => listed.name === wanted);
    if (entry === undefined) throw new Error(`${path} has no tensor ${wanted}`);
    const length = entry.shape.reduce((product, side) => product * side, 1);
    return data.subarray(entry.offset, entry.offset + length);
  };
  const layout = parameterLayout(spec);
  const weights = new Float32Array(layout.length);
  for (const slot of layout.slots) weights.set(tensor(`weight:${slot.name}`), slot.offset);
  return { spec, smoothing, labels: Int32Array.from(header.labels), weights, tensor };
}
