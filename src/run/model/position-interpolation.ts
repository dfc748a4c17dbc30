/** Resamples the position embeddings of a grid of patches, in the ways of the libraries that publish weights. */

/**
 * bilinear: corners aligned, as scipy.ndimage.zoom of order 1, which vit_jax uses.
 * bicubic-antialias: as timm's resample_abs_pos_embed. bicubic: as Hugging Face. bicubic-aligned: corners aligned, as
 * torchvision's interpolate_embeddings.
 */
export const POSITION_INTERPOLATIONS = [
  'bilinear',
  'bicubic-antialias',
  'bicubic',
  'bicubic-aligned',
] as const;
export type PositionInterpolation = (typeof POSITION_INTERPOLATIONS)[number];

/** What one output position is made of along an axis. */
interface Taps {
  readonly indices: readonly number[];
  readonly weights: readonly number[];
}

type TapsOf = (at: number, size: number, newSize: number) => Taps;

/** Keys' cubic kernel; PyTorch takes -0.75 for `a`, and with antialiasing -0.5 as Pillow does. */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function alignedPosition(at: number, size: number, newSize: number): number {
  return newSize === 1 ? 0 : at * ((size - 1) / (newSize - 1));
}

const bilinear: TapsOf = (at, size, newSize) => {
  const position = alignedPosition(at, size, newSize);
  const first = Math.min(Math.floor(position), Math.max(0, size - 2));
  const next = Math.min(first + 1, size - 1);
  return { indices: [first, next], weights: [1 - (position - first), position - first] };
};

function fourTaps(position: number, size: number): Taps {
  const first = Math.floor(position);
  const offsets = [-1, 0, 1, 2];
  return {
    indices: offsets.map((offset) => Math.min(Math.max(first + offset, 0), size - 1)),
    weights: offsets.map((offset) => cubic(position - first - offset, -0.75)),
  };
}

const bicubic: TapsOf = (at, size, newSize) => fourTaps((at + 0.5) * (size / newSize) - 0.5, size);

const bicubicAligned: TapsOf = (at, size, newSize) => fourTaps(alignedPosition(at, size, newSize), size);

/** torch.nn.functional.interpolate(antialias=True): the kernel widens with the scale when the grid shrinks. */
const bicubicAntialias: TapsOf = (at, size, newSize) => {
  const scale = size / newSize;
  const widening = Math.max(1, scale);
  const centre = scale * (at + 0.5);
  const from = Math.max(Math.trunc(centre - 2 * widening + 0.5), 0);
  const to = Math.min(Math.trunc(centre + 2 * widening + 0.5), size);
  const indices = Array.from({ length: to - from }, (_, i) => from + i);
  const raw = indices.map((index) => cubic((index - centre + 0.5) / widening, -0.5));
  const sum = raw.reduce((total, weight) => total + weight, 0);
  return { indices, weights: raw.map((weight) => weight / sum) };
};

const METHODS: Readonly<Record<PositionInterpolation, TapsOf>> = {
  bilinear,
  'bicubic-antialias': bicubicAntialias,
  bicubic,
  'bicubic-aligned': bicubicAligned,
};

/** A square grid [side, side, width] resampled to [newSide, newSide, width]. The same side gives the same values. */
export function resampleGrid(
  grid: Float32Array,
  side: number,
  newSide: number,
  width: number,
  method: PositionInterpolation = 'bilinear',
): Float32Array {
  if (side === newSide) return grid.slice();
  const taps = Array.from({ length: newSide }, (_, at) => METHODS[method](at, side, newSide));
  const out = new Float32Array(newSide * newSide * width);
  for (const [row, rows] of taps.entries()) {
    for (const [column, columns] of taps.entries()) {
      const to = (row * newSide + column) * width;
      for (let i = 0; i < width; i++) {
        let sum = 0;
        for (const [r, y] of rows.indices.entries()) {
          let line = 0;
          for (const [c, x] of columns.indices.entries()) {
            line += columns.weights[c]! * grid[(y * side + x) * width + i]!;
          }
          sum += rows.weights[r]! * line;
        }
        out[to + i] = sum;
      }
    }
  }
  return out;
}
