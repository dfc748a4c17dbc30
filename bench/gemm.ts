/**
 * The matrix products of a ViT's training step, ours and torch's (oneDNN) in turns, on one core.
 *
 *   node dist/bench/gemm.js [--widths 192,384,768] [--tokens N] [--precisions fp32,bf16] [--passes forward,dx,dw]
 *                           [--rounds 7] [--ms 40] [--level avx512] [--alone] [--json]
 *
 * Figures are medians over the rounds; each round repeats a product for `--ms` milliseconds and takes the fastest.
 */
import { parseArgs } from 'node:util';
import type { Kernels } from '../src/kernels/kernel-api.js';
import { STORAGE } from '../src/kernels/kernel-api/memory.js';
import { kernelsToTime, timeInTurns, type KernelCall } from './kernel-timing.js';
import { openPeer, type Peer } from './peer/peer.js';
import { columns, machine } from './workspace.js';

const { values } = parseArgs({
  options: {
    widths: { type: 'string', default: '192,384,768' },
    tokens: { type: 'string' },
    precisions: { type: 'string', default: 'fp32,bf16' },
    passes: { type: 'string', default: 'forward,dx,dw' },
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '40' },
    level: { type: 'string' },
    alone: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

/** Tokens of a micro-batch by width: ViT-Ti/4 at 32 px x 64, ViT-S/16 at 224 px x 16, ViT-B/16 x 8; else x 32 at 65. */
const TOKENS: Record<number, number> = { 192: 64 * 65, 384: 16 * 197, 768: 8 * 197 };
const PATCH: Record<number, number> = { 384: 768, 768: 768 };

interface Shape {
  readonly pass: string;
  readonly precision: string;
  readonly tokens: number;
  readonly in: number;
  readonly out: number;
}

function shapesOf(width: number): Shape[] {
  const tokens = Number(values.tokens ?? TOKENS[width] ?? 32 * 65);
  const layers = [
    [PATCH[width] ?? 48, width],
    [width, 3 * width],
    [width, width],
    [width, 4 * width],
    [4 * width, width],
  ] as const;
  return values.precisions
    .split(',')
    .flatMap((precision) =>
      layers.flatMap(([inputs, outputs]) =>
        values.passes.split(',').map((pass) => ({ pass, precision, tokens, in: inputs, out: outputs })),
      ),
    );
}

/** The product as a training step calls it: a linear layer's forward, or one of its two gradients. */
function oursOf(kernels: Kernels, shape: Shape): KernelCall {
  const { tokens, in: inputs, out: outputs } = shape;
  const bf16 = shape.precision === 'bf16';
  const activations = bf16 ? STORAGE.bf16 : STORAGE.f32;
  const buffer = (length: number, storage: typeof activations) => {
    const handle = kernels.allocate({ length, storage });
    const host = storage === STORAGE.bf16 ? new Uint16Array(length) : new Float32Array(length);
    // Small whole numbers, as bf16 and as fp32.
    kernels.write({
      buffer: handle,
      values: host.map((_, i) => (storage === STORAGE.bf16 ? 0x3f80 + (i % 64) : (i % 7) - 3)),
    });
    return handle;
  };
  const x = buffer(tokens * inputs, activations);
  const y = buffer(tokens * outputs, activations);
  const w = buffer(inputs * outputs, STORAGE.f32);
  const calls: Record<string, () => void> = {
    forward: () =>
      kernels.gemm({ a: x, b: w, c: y, m: tokens, n: outputs, k: inputs, transposeB: true, bf16 }),
    dx: () => kernels.gemm({ a: y, b: w, c: x, m: tokens, n: inputs, k: outputs, bf16 }),
    dw: () => kernels.gemm({ a: y, b: x, c: w, m: outputs, n: inputs, k: tokens, transposeA: true, bf16 }),
  };
  const end = (): void => [x, y, w].forEach((handle) => kernels.release(handle));
  return { call: calls[shape.pass]!, end };
}

interface Row extends Shape {
  readonly gflops: number;
  readonly torchGflops: number;
}

async function measure(kernels: Kernels, peer: Peer | undefined, shape: Shape): Promise<Row> {
  const by = { rounds: Number(values.rounds), budgetMs: Number(values.ms) };
  const { ms, peerMs } = await timeInTurns(oursOf(kernels, shape), peer, shape, by);
  const gflops = (milliseconds: number): number =>
    (2 * shape.tokens * shape.in * shape.out) / milliseconds / 1e6;
  return { ...shape, gflops: gflops(ms), torchGflops: gflops(peerMs) };
}

const { kernels, level } = kernelsToTime(values.level);
const peer = values.alone ? undefined : openPeer('bench/peer/gemm.py');
const rows: Row[] = [];
for (const shape of values.widths.split(',').flatMap((width) => shapesOf(Number(width))))
  rows.push(await measure(kernels, peer, shape));
peer?.close();

if (values.json) {
  for (const row of rows) console.log(JSON.stringify({ bench: 'gemm', machine: machine(), level, ...row }));
} else {
  console.log(`matrix products, one core, ${level}; GFLOPS; ${machine()}`);
  const head = ['precision', 'tokens', 'in', 'out', 'pass', 'ours', 'torch', 'ratio'];
  const cells = rows.map((row) => [
    ...[row.precision, `${row.tokens}`, `${row.in}`, `${row.out}`, row.pass],
    ...[row.gflops.toFixed(1), row.torchGflops.toFixed(1), (row.gflops / row.torchGflops).toFixed(3)],
  ]);
  console.log(columns([head, ...cells]));
}
