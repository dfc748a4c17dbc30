/**
 * The training step of a worker against PyTorch's, on the same machine in turns.
 *
 *   node dist/bench/torch-step.js [--settings ti4,ti16,s16,b16] [--precision fp32,bf16] [--threads 1] [--rounds 5]
 *                                 [--backend native] [--device cpu] [--accumulate 1] [--compile] [--batch N] [--json]
 *
 * Ours is the worker's own code (engine, exact accumulation, scaling, clipping, AdamW) on one micro-batch a step; the
 * peer is torchvision's VisionTransformer under torch (bench/peer/vit_step.py). Both run in processes of their own,
 * which take turns: a round is a step or more of each. Needs Debian's python3-torch, python3-torchvision and
 * libopenblas0-pthread; without them only our side is measured. With --device cuda:N both run on that GPU, the peer
 * under autocast with fused attention and fused AdamW (bench/peer/vit_gpu_step.py), with --compile through
 * torch.compile; memory is the GPU's then.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nextMessage } from './child-answers.js';
import { missingTorch, Peer } from './peer/peer.js';
import { openStepRunner, type StepRunner, type StepSetting } from './train-step.js';
import { columns, machine, median } from './workspace.js';

const SETTINGS: Readonly<Record<string, Pick<StepSetting, 'model' | 'imageSize' | 'classes' | 'batch'>>> = {
  ti4: { model: 'vit-ti/4', imageSize: 32, classes: 10, batch: 64 },
  ti16: { model: 'vit-ti/16', imageSize: 224, classes: 1000, batch: 16 },
  s16: { model: 'vit-s/16', imageSize: 224, classes: 1000, batch: 16 },
  b16: { model: 'vit-b/16', imageSize: 224, classes: 1000, batch: 8 },
  l16: { model: 'vit-l/16', imageSize: 224, classes: 1000, batch: 4 },
};

/** Steps of a large model on a busy machine take this long at most. */
const ANSWER_TIMEOUT_MS = 600_000;

const { values } = parseArgs({
  options: {
    settings: { type: 'string', default: 'ti4,ti16,s16,b16' },
    precision: { type: 'string', default: 'fp32,bf16' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    backend: { type: 'string', default: 'native' },
    device: { type: 'string', default: 'cpu' },
    accumulate: { type: 'string', default: '1' },
    compile: { type: 'boolean', default: false },
    'product-choices': { type: 'string' },
    batch: { type: 'string' },
    json: { type: 'boolean', default: false },
    /** A setting as JSON: this process is our side. */
    side: { type: 'string' },
  },
});

interface Timing {
  readonly seconds: number;
  readonly loss: number;
  readonly peakBytes: number;
}

/** Our side of a round: answers the parent's messages until it disconnects. */
async function serve(setting: StepSetting): Promise<void> {
  const peak = (): number => process.resourceUsage().maxRSS * 1024;
  const before = peak();
  const runner = await openStepRunner(setting);
  const answer = async (steps: number): Promise<void> => {
    const start = performance.now();
    const loss = await runner.run(steps);
    const seconds = (performance.now() - start) / 1000;
    const peakBytes = setting.device === 'cpu' ? peak() - before : runner.peakDeviceBytes();
    process.send?.({ seconds, loss, peakBytes } satisfies Timing);
  };
  process.on('message', ({ steps }: { steps: number }) => void answer(steps));
  process.send?.({ spec: runner.spec, parameters: runner.parameters });
}

async function compare(name: string, precision: 'fp32' | 'bf16', peerMissing: boolean): Promise<string[]> {
  const setting: StepSetting = {
    ...SETTINGS[name]!,
    precision,
    backend: values.backend,
    threads: Number(values.threads),
    device: values.device,
    accumulate: Number(values.accumulate),
    // As the peers have it: torchvision's model the one, the form that training takes by default the other.
    gelu: values.device === 'cpu' ? 'erf' : 'tanh',
    productChoices: values['product-choices'] ?? null,
    ...(values.batch === undefined ? {} : { batch: Number(values.batch) }),
  };
  const ours = fork(fileURLToPath(import.meta.url), ['--side', JSON.stringify(setting)]);
  try {
    return await compareWith(ours, setting, peerMissing);
  } finally {
    ours.kill();
  }
}

async function compareWith(
  ours: ChildProcess,
  setting: StepSetting,
  peerMissing: boolean,
): Promise<string[]> {
  const { precision } = setting;
  const hello = nextMessage<Pick<StepRunner, 'spec' | 'parameters'>>(ours, ANSWER_TIMEOUT_MS);
  const { spec, parameters } = await hello;
  const ask = async (steps: number): Promise<Timing> => {
    ours.send({ steps });
    return nextMessage<Timing>(ours, ANSWER_TIMEOUT_MS);
  };
  const shape = {
    layers: spec.layers,
    hidden: spec.hidden,
    mlp: spec.mlp,
    heads: spec.heads,
    patch: spec.patch,
    image: setting.imageSize,
    classes: setting.classes,
    batch: setting.batch,
  };
  const onGpu = values.device !== 'cpu';
  const place = onGpu
    ? { device: values.device, accumulate: values.accumulate, compile: Number(values.compile) }
    : { threads: values.threads };
  const args = Object.entries({ ...shape, ...place, precision }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ]);
  const script = onGpu ? 'bench/peer/vit_gpu_step.py' : 'bench/peer/vit_step.py';
  const peer = peerMissing ? undefined : new Peer(script, args, onGpu ? 8 : setting.threads);
  try {
    const rounds = await inTurns(ask, peer, parameters);
    return told(setting, rounds);
  } finally {
    peer?.close();
  }
}

interface Round {
  readonly ours: Timing;
  readonly theirs: Timing | undefined;
}

async function inTurns(
  ask: (steps: number) => Promise<Timing>,
  peer: Peer | undefined,
  parameters: number,
): Promise<Round[]> {
  const peerModel = await peer?.answer<{ parameters: number }>();
  if (peerModel !== undefined && peerModel.parameters !== parameters) {
    throw new Error(`the peer's model has ${peerModel.parameters} parameters, ours ${parameters}`);
  }

  const steps = 1;
  // Memory is taken and pages are touched in the first steps.
  await ask(2);
  await peer?.ask({ steps: 2 });
  const rounds: Round[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    rounds.push({ ours: await ask(steps), theirs: await peer?.ask<Timing>({ steps }) });
  }
  return rounds;
}

/** A line of the table; as JSON on the way where that is asked for. */
function told(setting: StepSetting, rounds: readonly Round[]): string[] {
  const speed = (timing: Timing | undefined): number =>
    timing === undefined ? NaN : (setting.batch * setting.accumulate) / timing.seconds;
  const mine = rounds.map((round) => speed(round.ours));
  const theirs = rounds.map((round) => speed(round.theirs));
  const ratios = rounds.map((_, i) => mine[i]! / theirs[i]!).sort((a, b) => a - b);
  const last = rounds.at(-1)!;
  const row = {
    ...setting,
    compile: values.compile,
    imagesPerSecond: median(mine),
    peerImagesPerSecond: median(theirs),
    ratio: median(ratios),
    ratioLow: ratios[0]!,
    ratioHigh: ratios.at(-1)!,
    peakMb: last.ours.peakBytes / 2 ** 20,
    peerPeakMb: (last.theirs?.peakBytes ?? NaN) / 2 ** 20,
    loss: last.ours.loss,
    peerLoss: last.theirs?.loss,
  };
  if (values.json) console.log(JSON.stringify({ bench: 'torch-step', machine: machine(), ...row }));
  const { imagesPerSecond, peerImagesPerSecond, ratio, ratioLow, ratioHigh, peakMb, peerPeakMb } = row;
  return [
    ...[`${row.model} ${row.imageSize} px batch ${row.batch}`, row.precision],
    ...[imagesPerSecond.toFixed(2), peerImagesPerSecond.toFixed(2)],
    ...[ratio.toFixed(2), `${ratioLow.toFixed(2)}-${ratioHigh.toFixed(2)}`],
    ...[peakMb.toFixed(0), peerPeakMb.toFixed(0), (peakMb / peerPeakMb).toFixed(2)],
  ];
}

if (values.side !== undefined) {
  await serve(JSON.parse(values.side) as StepSetting);
} else {
  const missing = missingTorch(values.device !== 'cpu');
  if (missing !== undefined) console.log(`without the peer: ${missing}`);
  const head = ['model', 'precision', 'images/s', 'torch', 'ratio', 'spread', 'peak MB', 'torch MB', 'ratio'];
  const rows = [head];
  for (const name of values.settings.split(',')) {
    for (const precision of values.precision.split(',')) {
      rows.push(await compare(name, precision as 'fp32' | 'bf16', missing !== undefined));
    }
  }
  if (!values.json) {
    console.log(`training step, ${values.threads} thread(s), ${values.rounds} rounds; ${machine()}`);
    console.log(columns(rows));
  }
}
