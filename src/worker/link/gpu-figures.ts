/** Reads figures of NVIDIA GPUs from the driver's own tool, `nvidia-smi`, if there is one. */
import { execFile } from 'node:child_process';
import type { GpuFigures } from '../../host/metrics/worker-metrics.js';

const QUERY = 'index,utilization.gpu,memory.used,memory.total';
const MEBIBYTE = 2 ** 20;
const EVERY_MS = 10_000;
const TIMEOUT_MS = 5000;

/**
 * Reads `nvidia-smi --query-gpu=index,utilization.gpu,memory.used,memory.total --format=csv,noheader,nounits`:
 * one line for each GPU, in per cent and MiB. Other lines, and figures that the driver does not have ("[N/A]"), are left out.
 */
export function parseGpuFigures(text: string): GpuFigures[] {
  return text
    .split('\n')
    .map((line) => line.split(',').map((cell) => (cell.trim() === '' ? NaN : Number(cell))))
    .filter((cells) => cells.length === 4 && cells.every((cell) => Number.isFinite(cell)))
    .map(([index, percent, used, total]) => ({
      gpu: index!,
      utilization: percent! / 100,
      memoryUsedBytes: used! * MEBIBYTE,
      memoryTotalBytes: total! * MEBIBYTE,
    }));
}

/** Asks the driver now and every ten seconds. Ends by itself if there is no such tool. */
export class GpuWatch {
  readonly #tell: (figures: readonly GpuFigures[]) => void;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(tell: (figures: readonly GpuFigures[]) => void) {
    this.#tell = tell;
    this.#ask();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #ask(): void {
    const args = [`--query-gpu=${QUERY}`, '--format=csv,noheader,nounits'];
    execFile('nvidia-smi', args, { timeout: TIMEOUT_MS }, (error, stdout) => {
      if (error !== null || this.#closed) return;
      this.#tell(parseGpuFigures(stdout));
      this.#timer = setTimeout(() => this.#ask(), EVERY_MS).unref();
    });
  }
}
