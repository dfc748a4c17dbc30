/**
 * How fast a worker's data thread turns image files into micro-batches: cold, and from its cache.
 *
 *   node dist/bench/decode.js [--data DIR] [--image-size 32] [--images 1024] [--repeats 5] [--json]
 *
 * Paper (random crop, flip) and tutorial (squash) transforms take turns; figures are medians of images/s.
 */
import { parseArgs } from 'node:util';
import { scanDataset } from '../src/run/dataset/dataset-scan.js';
import { Loader } from '../src/worker/data/loader.js';
import { columns, machine, median, openWorkspace } from './workspace.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    'image-size': { type: 'string', default: '32' },
    images: { type: 'string', default: '1024' },
    repeats: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

const MICRO_BATCH = 32;
const TRANSFORMS = ['paper', 'tutorial'] as const;
const imageSize = Number(values['image-size']);

const workspace = await openWorkspace(values.data);
try {
  const manifest = await scanDataset(workspace.data);
  const samples = manifest.train.samples.slice(0, Number(values.images));

  /** Images/s of one pass over all samples. */
  const pass = async (loader: Loader, epoch: number): Promise<number> => {
    const requests = [];
    for (let start = 0; start < samples.length; start += MICRO_BATCH) {
      const count = Math.min(MICRO_BATCH, samples.length - start);
      const positions = Array.from({ length: count }, (_, i) => start + i);
      requests.push({ split: 'train' as const, epoch, samples: positions, augment: true });
    }
    const startMs = performance.now();
    for (const [i, request] of requests.entries()) {
      loader.prefetch(requests.slice(i, i + 4));
      await loader.take(request);
    }
    return (samples.length * 1000) / (performance.now() - startMs);
  };

  const rates = new Map<string, number[]>();
  const note = (name: string, rate: number): void => {
    rates.set(name, [...(rates.get(name) ?? []), rate]);
  };
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    for (const transform of TRANSFORMS) {
      const splits = { train: samples, test: [] };
      const own = { interpolation: 'bilinear' as const, cropMode: null, cropFraction: null };
      const view = Object.assign({ transform, imageSize, cropMinArea: 0.05, seed: 0 }, own);
      const source = {
        root: workspace.data,
        splits,
        transform: view,
        cacheBytes: 2 ** 30,
      };
      const loader = new Loader(source, { maxAhead: 4, timeoutMs: 60_000 });
      note(`${transform}, cold`, await pass(loader, 0));
      note(`${transform}, cached`, await pass(loader, 1));
      await loader.close();
    }
  }
  const rows = [...rates].map(([name, list]) => ({
    name,
    imagesPerSecond: median(list),
    min: Math.min(...list),
    max: Math.max(...list),
  }));
  if (values.json) {
    for (const row of rows)
      console.log(JSON.stringify({ bench: 'decode', imageSize, machine: machine(), ...row }));
  } else {
    console.log(`loading ${samples.length} images at ${imageSize} px; ${machine()}`);
    const cells = rows.map((r) => [
      r.name,
      r.imagesPerSecond.toFixed(0),
      `${r.min.toFixed(0)} to ${r.max.toFixed(0)}`,
    ]);
    console.log(columns([['transform', 'images/s', 'spread'], ...cells]));
  }
} finally {
  workspace.remove();
}
