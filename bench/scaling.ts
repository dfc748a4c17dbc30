/**
 * What a second worker brings: one worker, two workers, and two runs of one worker side by side, in turns.
 *
 *   node dist/bench/scaling.js [--data DIR] [--model vit-ti/4] [--image-size 32] [--batch 128] [--micro-batch 32]
 *                              [--steps 12] [--repeats 3] [--backend auto] [--precision fp32] [--json]
 *
 * Each worker has one thread for its kernels. Two independent runs share nothing but the machine: what they reach
 * together is what a second worker could bring at most. images/s is the median over steps after the first four,
 * from commit to commit.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { columns, machine, median, openWorkspace } from './workspace.js';

const WARM_UP_STEPS = 4;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: 'vit-ti/4' },
    'image-size': { type: 'string', default: '32' },
    batch: { type: 'string', default: '128' },
    'micro-batch': { type: 'string', default: '32' },
    steps: { type: 'string', default: '12' },
    repeats: { type: 'string', default: '3' },
    backend: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'fp32' },
    json: { type: 'boolean', default: false },
  },
});

interface StepLine {
  readonly stepMs: number;
  readonly samples: number;
}

/** images/s of a run. */
async function speedOf(data: string, out: string, workers: number): Promise<number> {
  const { model, steps, batch, backend, precision } = values;
  const flags = {
    data,
    out,
    model,
    steps,
    batch,
    backend,
    precision,
    workers,
    threads: 1,
    dropout: '0.1',
    'image-size': values['image-size'],
    'micro-batch': values['micro-batch'],
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [resolve('dist/src/program/cli.js'), 'train', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`a training run ended with ${code}`);
  const lines = readFileSync(join(out, 'metrics.jsonl'), 'utf8').split('\n');
  const stepLines = lines.filter((line) => line.startsWith('{"type":"step"')).slice(WARM_UP_STEPS);
  return median(
    stepLines.map((line) => {
      const { samples, stepMs } = JSON.parse(line) as StepLine;
      return (samples * 1000) / stepMs;
    }),
  );
}

const workspace = await openWorkspace(values.data);
try {
  const { data, folder } = workspace;
  const one: number[] = [];
  const two: number[] = [];
  const independent: number[] = [];
  for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
    const out = (name: string): string => join(folder, `${name}-${repeat}`);
    one.push(await speedOf(data, out('one'), 1));
    two.push(await speedOf(data, out('two'), 2));
    const both = await Promise.all([speedOf(data, out('left'), 1), speedOf(data, out('right'), 1)]);
    independent.push(both[0] + both[1]);
  }
  const ratios = two.map((speed, i) => speed / independent[i]!).sort((a, b) => a - b);
  const row = {
    model: values.model,
    precision: values.precision,
    one: median(one),
    two: median(two),
    independent: median(independent),
    ratio: median(ratios),
    low: ratios[0]!,
    high: ratios.at(-1)!,
  };
  if (values.json) {
    console.log(JSON.stringify({ bench: 'scaling', machine: machine(), ...row }));
  } else {
    const head = ['model', 'one worker', 'two workers', 'two runs together', 'workers / runs', 'spread'];
    const cells = [
      ...[
        `${row.model} ${row.precision}`,
        row.one.toFixed(1),
        row.two.toFixed(1),
        row.independent.toFixed(1),
      ],
      ...[row.ratio.toFixed(3), `${row.low.toFixed(3)}-${row.high.toFixed(3)}`],
    ];
    console.log(`images/s, one thread a worker, ${values.repeats} repeats; ${machine()}`);
    console.log(columns([head, cells]));
  }
} finally {
  workspace.remove();
}
