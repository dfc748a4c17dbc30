/** A benchmark's peer in another language: a child process that answers one line of JSON with another. */
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

/** Debian's: /usr/bin/python3 has no virtual environment in its way. */
const PYTHON = process.env['VITRAIL_BENCH_PYTHON'] ?? '/usr/bin/python3';

/** Why the peer cannot run here, with what to do about it; undefined where it can. */
export function missingTorch(): string | undefined {
  // Through the reference BLAS torch multiplies at 2 GFLOPS: no peer at all.
  const probe = `
import time, torch, torchvision
torch.set_num_threads(1)
a = torch.rand(768, 768)
a @ a
t = time.perf_counter()
for _ in range(5): a @ a
print(5 * 2 * 768 ** 3 / (time.perf_counter() - t) / 1e9)`;
  const { status, stdout } = spawnSync(PYTHON, ['-c', probe], { encoding: 'utf8', env: oneThread() });
  const install = 'apt-get install python3-torch python3-torchvision libopenblas0-pthread';
  if (status !== 0) return `${PYTHON} has no torch and torchvision (on Debian: ${install})`;
  if (Number(stdout) < 15)
    return `torch multiplies at ${stdout.trim()} GFLOPS: OpenBLAS is missing (${install})`;
  return undefined;
}

function oneThread(threads = 1): NodeJS.ProcessEnv {
  const count = String(threads);
  return { ...process.env, OPENBLAS_NUM_THREADS: count, OMP_NUM_THREADS: count, MKL_NUM_THREADS: count };
}

export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  /** @param script Python file, from the repository's root */
  constructor(script: string, args: readonly string[], threads: number) {
    this.#child = spawn(PYTHON, [resolve(script), ...args], { env: oneThread(threads) });
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** The next line of its output. */
  async answer<T>(): Promise<T> {
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the peer ended');
    return JSON.parse(line.value) as T;
  }

  async ask<T>(request: object): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer<T>();
  }

  close(): void {
    this.#child.stdin.end();
  }
}
