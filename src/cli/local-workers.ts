/** Worker processes on this machine, started and ended together with the process that runs them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface LocalWorkersOptions {
  readonly count: number;
  readonly coordinator: string;
  /** Of each worker's native kernels; 0 shares this machine's processors among the workers. */
  readonly threads: number;
  readonly logLevel: string;
  /** Each worker writes to worker-K.log there. */
  readonly logDir: string;
  /** Called when a worker's process ends; `left` others still run. */
  readonly onExit: (pid: number, reason: string, left: number) => void;
}

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));

export class LocalWorkers {
  readonly #children: readonly ChildProcess[];
  readonly #exits: readonly Promise<void>[];

  constructor(options: LocalWorkersOptions) {
    this.#children = Array.from({ length: options.count }, (_, i) => startWorker(options, i));
    this.#exits = this.#children.map(
      async (child) =>
        new Promise<void>((resolve) => {
          child.once('error', () => resolve());
          child.once('exit', (code, signal) => {
            options.onExit(
              child.pid ?? 0,
              signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`,
              this.#children.filter((c) => c.exitCode === null && c.signalCode === null).length,
            );
            resolve();
          });
        }),
    );
  }

  /** Waits for all to end by themselves for `graceMs`, then ends them. */
  async stop(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.kill(), graceMs);
    await Promise.all(this.#exits);
    clearTimeout(timer);
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

function threadsOf({ threads, count }: LocalWorkersOptions): number {
  return threads > 0 ? threads : Math.max(1, Math.floor(availableParallelism() / count));
}

function startWorker(options: LocalWorkersOptions, index: number): ChildProcess {
  const log = openSync(join(options.logDir, `worker-${index}.log`), 'a');
  const args = [
    ...['worker', '--coordinator', options.coordinator, '--log-level', options.logLevel],
    ...['--threads', String(threadsOf(options))],
  ];
  const child = spawn(process.execPath, [CLI, ...args, '--supervised'], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}
