/**
 * Attention forward and backward, ours and torch's in turns, on one core.
 *
 *   node dist/bench/attention.js [--shapes 64x65x3x64,16x197x3x64,...] [--precisions fp32,bf16] [--rounds 7] [--ms 100]
 *                                [--level avx512] [--alone] [--json]
 *
 * A shape is images x tokens x heads x width of a head. Figures are medians over the rounds; each round repeats both
 * passes for `--ms` milliseconds and takes the fastest. GFLOPS count 14 S^2 d a head: 4 forward, 10 backward.
 */
import { parseArgs } from 'node:util';
import type { Kernels } from '../src/kernels/kernel-api.js';
import { STORAGE } from '../src/kernels/kernel-api/memory.js';
import { kernelsToTime, timeInTurns, type KernelCall } from './kernel-timing.js';
import { openPeer, type Peer } from './peer/peer.js';
import { columns, machine } from './workspace.js';

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: '64x65x3x64,16x197x3x64,16x197x6x64,8x197x12x64' },
    precisions: { type: 'string', default: 'fp32,bf16' },
    rounds: { type: 'string', default: '7' },
    ms: { type: 'string', default: '100' },
    level: { type: 'string' },
    alone: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

interface Shape {
  readonly precision: string;
  readonly images: number;
  readonly tokens: number;
  readonly heads: number;
  readonly width: number;
}

function shapesOf(text: string): Shape[] {
  const [images, tokens, heads, width] = text.split('x').map(Number) as [number, number, number, number];
  return values.precisions.split(',').map((precision) => ({ precision, images, tokens, heads, width }));
}

/** Both passes as a training step calls them. */
function oursOf(kernels: Kernels, shape: Shape): KernelCall {
  const bf16 = shape.precision === 'bf16';
  const storage = bf16 ? STORAGE.bf16 : STORAGE.f32;
  const length = shape.images * shape.tokens * shape.heads * shape.width;
  const buffer = (elements: number) => {
    const handle = kernels.allocate({ length: elements, storage });
    const host = bf16 ? new Uint16Array(elements) : new Float32Array(elements);
    // From -1 to 1, as fp32 and as bf16.
    const float = (i: number): number => ((i * 7919) % 255) / 127 - 1;
    const half = (i: number): number => 0x3f00 + ((i * 7919) % 127) + (i & 1) * 0x8000;
    kernels.write({ buffer: handle, values: host.map((_, i) => (bf16 ? half(i) : float(i))) });
    return handle;
  };
  const [qkv, out, dOut, dQkv] = [buffer(3 * length), buffer(length), buffer(length), buffer(3 * length)];
  const logSumExp = kernels.allocate({ length: length / shape.width, storage: STORAGE.f32 });
  const { images, tokens, heads, width } = shape;
  const operands = { images, tokens, heads, width, bf16, qkv, out, logSumExp };
  const call = (): void => {
    kernels.attentionForward(operands);
    kernels.attentionBackward({ ...operands, dOut, dQkv });
  };
  const end = (): void => [qkv, out, dOut, dQkv, logSumExp].forEach((handle) => kernels.release(handle));
  return { call, end };
}

interface Row extends Shape {
  readonly ms: number;
  readonly torchMs: number;
  readonly gflops: number;
}

async function measure(kernels: Kernels, peer: Peer | undefined, shape: Shape): Promise<Row> {
  const by = { rounds: Number(values.rounds), budgetMs: Number(values.ms) };
  const { ms, peerMs } = await timeInTurns(oursOf(kernels, shape), peer, shape, by);
  const flops = 14 * shape.images * shape.heads * shape.tokens ** 2 * shape.width;
  return { ...shape, ms, torchMs: peerMs, gflops: flops / ms / 1e6 };
}

const { kernels, level } = kernelsToTime(values.level);
const peer = values.alone ? undefined : openPeer('bench/peer/attention.py');
const rows: Row[] = [];
for (const shape of values.shapes.split(',').flatMap(shapesOf))
  rows.push(await measure(kernels, peer, shape));
peer?.close();

if (values.json) {
  for (const row of rows)
    console.log(JSON.stringify({ bench: 'attention', machine: machine(), level, ...row }));
} else {
  console.log(`attention, forward and backward, one core, ${level}; ${machine()}`);
  const head = ['precision', 'images', 'tokens', 'heads', 'width', 'ms', 'GFLOPS', 'torch ms', 'ratio'];
  const cells = rows.map((row) => [
    ...[row.precision, `${row.images}`, `${row.tokens}`, `${row.heads}`, `${row.width}`],
    ...[row.ms.toFixed(2), row.gflops.toFixed(1), row.torchMs.toFixed(2), (row.torchMs / row.ms).toFixed(2)],
  ]);
  console.log(columns([head, ...cells]));
}
