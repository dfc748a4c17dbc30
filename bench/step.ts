/**
 * Where the time of a training step goes, with real worker processes; one worker and two take turns.
 *
 *   node dist/bench/step.js [--data DIR] [--models vit-micro/8,vit-micro/4] [--image-size 32] [--workers 1,2]
 *                           [--batch 128] [--micro-batch 32] [--steps 16] [--repeats 3] [--json]
 *
 * Figures are medians over the steps of all repeats after the first four of each run; images/s counts whole steps,
 * from commit to commit. Evaluation and checkpoints are not in it.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { columns, machine, median, openWorkspace } from './workspace.js';

const WARM_UP_STEPS = 4;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    models: { type: 'string', default: 'vit-micro/8,vit-micro/4' },
    'image-size': { type: 'string', default: '32' },
    workers: { type: 'string', default: '1,2' },
    batch: { type: 'string', default: '128' },
    'micro-batch': { type: 'string', default: '32' },
    steps: { type: 'string', default: '16' },
    repeats: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

type Timings = Record<string, number>;

interface StepLine {
  readonly stepMs: number;
  readonly samples: number;
  readonly workers: readonly Timings[];
}

function trainedSteps(data: string, out: string, model: string, workers: string): StepLine[] {
  const flags = {
    data,
    out,
    model,
    workers,
    steps: values.steps,
    batch: values.batch,
    'image-size': values['image-size'],
    'micro-batch': values['micro-batch'],
    dropout: '0.1',
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  execFileSync(process.execPath, [resolve('dist/src/program/cli.js'), 'train', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return readFileSync(join(out, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"type":"step"'))
    .slice(WARM_UP_STEPS)
    .map((line) => JSON.parse(line) as StepLine);
}

const PARTS = ['dataMs', 'computeMs', 'quantiseMs', 'reduceWaitMs', 'reduceSumMs'] as const;

interface Row {
  readonly model: string;
  readonly workers: string;
  readonly imagesPerSecond: number;
  readonly stepMs: number;
  /** Medians over workers and steps, ms. */
  readonly parts: Record<(typeof PARTS)[number], number>;
}

function rowOf(model: string, workers: string, steps: readonly StepLine[]): Row {
  const part = (name: string): number => median(steps.flatMap((s) => s.workers.map((w) => w[name] ?? NaN)));
  return {
    model,
    workers,
    imagesPerSecond: median(steps.map((s) => (s.samples * 1000) / s.stepMs)),
    stepMs: median(steps.map((s) => s.stepMs)),
    parts: Object.fromEntries(PARTS.map((name) => [name, part(name)])) as Row['parts'],
  };
}

const workspace = await openWorkspace(values.data);
try {
  const counts = values.workers.split(',');
  const rows: Row[] = [];
  for (const model of values.models.split(',')) {
    const steps = new Map<string, StepLine[]>(counts.map((count) => [count, []]));
    for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
      for (const count of counts) {
        const out = join(workspace.folder, `${model.replace('/', '-')}-${count}-${repeat}`);
        steps.get(count)!.push(...trainedSteps(workspace.data, out, model, count));
      }
    }
    for (const count of counts) rows.push(rowOf(model, count, steps.get(count)!));
  }
  if (values.json) {
    for (const row of rows) console.log(JSON.stringify({ bench: 'step', machine: machine(), ...row }));
  } else {
    const head = [
      'model',
      'workers',
      'images/s',
      'step ms',
      ...PARTS.map((name) => name.replace('Ms', ' ms')),
    ];
    const cells = rows.map((row) => [
      row.model,
      row.workers,
      row.imagesPerSecond.toFixed(0),
      row.stepMs.toFixed(0),
      ...PARTS.map((name) => row.parts[name].toFixed(1)),
    ]);
    console.log(
      `training step, batch ${values.batch}, micro-batch ${values['micro-batch']}, ${values['image-size']} px; ${machine()}`,
    );
    console.log(columns([head, ...cells]));
  }
} finally {
  workspace.remove();
}
