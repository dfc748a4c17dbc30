/**
 * Tells whether two runs had the same loss curve within the rounding of their precision.
 *
 *   node dist/bench/gpu/loss-curves.js A/metrics.jsonl B/metrics.jsonl fp32|bf16
 *
 * Single steps wander apart as rounding feeds back; means over ten steps must not.
 */
import { readFileSync } from 'node:fs';

const TOLERANCE: Readonly<Record<string, number>> = { fp32: 0.01, bf16: 0.05 };
const WINDOW = 10;

function losses(path: string): number[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"type":"step"'))
    .map((line) => (JSON.parse(line) as { readonly loss: number }).loss);
}

/** Means of windows, one after the other. */
function smoothed(values: readonly number[]): number[] {
  const windows = Math.floor(values.length / WINDOW);
  return Array.from({ length: windows }, (_, i) => {
    const window = values.slice(i * WINDOW, (i + 1) * WINDOW);
    return window.reduce((sum, value) => sum + value, 0) / WINDOW;
  });
}

const [first, second, precision] = process.argv.slice(2);
const tolerance = TOLERANCE[precision ?? ''];
if (first === undefined || second === undefined || tolerance === undefined) {
  throw new Error('usage: loss-curves A/metrics.jsonl B/metrics.jsonl fp32|bf16');
}
const [a, b] = [smoothed(losses(first)), smoothed(losses(second))];
if (a.length !== b.length || a.length === 0) {
  throw new Error(`${a.length} and ${b.length} windows of ${WINDOW} steps`);
}
const differences = a.map((value, i) => Math.abs(value - b[i]!) / b[i]!);
const largest = Math.max(...differences);
console.log(`${a.length} windows of ${WINDOW} steps, ${b[0]!.toFixed(4)} to ${b.at(-1)!.toFixed(4)}`);
console.log(`largest relative difference ${largest.toExponential(2)}, allowed ${tolerance}`);
if (!(largest < tolerance)) process.exitCode = 1;
