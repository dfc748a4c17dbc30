/** A benchmark's peer in another language: a child process that answers one line of JSON with another. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

/** A step of a large model on a busy machine takes this long at most. */
const ANSWER_TIMEOUT_MS = 600_000;

/** Loading torch from a cold disk takes this long at most. */
const PROBE_TIMEOUT_MS = 120_000;

/** Debian's Python, because no virtual environment hides its packages. */
const PYTHON = process.env['VITRAIL_BENCH_PYTHON'] ?? '/usr/bin/python3';

/** Why the peer cannot run here, and what to do about it; undefined if it can run. */
export function missingTorch(onGpu = false): string | undefined {
  if (onGpu) return missingCudaTorch();
  // With the reference BLAS, torch multiplies at only 2 GFLOPS, which is no comparison.
  const probe = `
import time, torch, torchvision
torch.set_num_threads(1)
a = torch.rand(768, 768)
a @ a
t = time.perf_counter()
for _ in range(5): a @ a
print(5 * 2 * 768 ** 3 / (time.perf_counter() - t) / 1e9)`;
  const { status, stdout } = spawnSync(PYTHON, ['-c', probe], {
    encoding: 'utf8',
    env: withThreads(1),
    timeout: PROBE_TIMEOUT_MS,
  });
  const install = 'apt-get install python3-torch python3-torchvision libopenblas0-pthread';
  if (status !== 0) return `${PYTHON} has no torch and torchvision (on Debian: ${install})`;
  if (Number(stdout) < 15)
    return `torch multiplies at ${stdout.trim()} GFLOPS: OpenBLAS is missing (${install})`;
  return undefined;
}

function missingCudaTorch(): string | undefined {
  const { status, stdout } = spawnSync(PYTHON, ['-c', 'import torch; print(torch.cuda.is_available())'], {
    encoding: 'utf8',
    timeout: PROBE_TIMEOUT_MS,
  });
  // A Python that does not exist has printed nothing.
  return status === 0 && stdout.trim() === 'True' ? undefined : `${PYTHON} has no torch that sees a GPU`;
}

function withThreads(threads: number): NodeJS.ProcessEnv {
  const count = String(threads);
  return { ...process.env, OPENBLAS_NUM_THREADS: count, OMP_NUM_THREADS: count, MKL_NUM_THREADS: count };
}

/** A peer on one thread; undefined, after a line that says why, where it cannot run. @param script as for `Peer` */
export function openPeer(script: string): Peer | undefined {
  const missing = missingTorch();
  if (missing === undefined) return new Peer(script, [], 1);
  console.error(`without the peer: ${missing}`);
  return undefined;
}

export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  /** @param script Python file, from the repository's root */
  constructor(script: string, args: readonly string[], threads: number) {
    this.#child = spawn(PYTHON, [resolve(script), ...args], { env: withThreads(threads) });
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** The next line of its output. */
  async answer<T>(): Promise<T> {
    const timer = setTimeout(() => this.#child.kill(), ANSWER_TIMEOUT_MS);
    try {
      const line = await this.#lines.next();
      if (line.done === true) throw new Error('the peer ended, or was ended after 10 minutes of silence');
      return JSON.parse(line.value) as T;
    } finally {
      clearTimeout(timer);
    }
  }

  async ask<T>(request: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer<T>();
  }

  close(): void {
    this.#child.stdin.end();
  }
}
