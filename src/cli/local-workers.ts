/** Worker processes on this machine, started and ended together with the process that runs them. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { counted } from '../shared/wording.js';

export interface LocalWorkersOptions {
  readonly count: number;
  readonly coordinator: string;
  /** Of each worker's native kernels; 0 shares this machine's processors among the workers. */
  readonly threads: number;
  /** The --device of a worker. */
  readonly deviceOf: (index: number) => string;
  readonly logLevel: string;
  /** Each worker writes to worker-K.log there. */
  readonly logDir: string;
  /** Processes that are started in place of others that have failed, over the whole run. */
  readonly maxRestarts: number;
  /**
   * Called when a worker's process ends; `left` others run, or will, one in its place included.
   * @returns whether the run can use one in its place
   */
  readonly onExit: (pid: number, reason: string, left: number) => boolean;
  readonly onRestart: (text: string) => void;
}

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));
/** Of workers that ended because they were told to, or asked to by a person. */
const GOOD_CODES: readonly (number | null)[] = [0, 130, 143];
const GOOD_SIGNALS: readonly (string | null)[] = ['SIGINT', 'SIGTERM'];

export class LocalWorkers {
  readonly #options: LocalWorkersOptions;
  readonly #running = new Set<ChildProcess>();
  #restarts = 0;
  #stopping = false;
  #onEmpty: (() => void) | null = null;

  constructor(options: LocalWorkersOptions) {
    this.#options = options;
    for (let i = 0; i < options.count; i++) this.#start(i);
  }

  /** Waits for all to end by themselves for `graceMs`, then ends them. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#running.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    const timer = setTimeout(() => this.kill(), graceMs);
    await empty;
    clearTimeout(timer);
  }

  kill(): void {
    this.#stopping = true;
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #start(index: number): void {
    const child = startWorker(this.#options, index);
    this.#running.add(child);
    child.once('error', (error) => this.#ended(child, index, error.message, true));
    child.once('exit', (code, signal) => {
      const reason = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
      const failed = signal === null ? !GOOD_CODES.includes(code) : !GOOD_SIGNALS.includes(signal);
      this.#ended(child, index, reason, failed);
    });
  }

  #ended(child: ChildProcess, index: number, reason: string, failed: boolean): void {
    if (!this.#running.delete(child)) return;
    const { onExit, onRestart, maxRestarts } = this.#options;
    const again = failed && !this.#stopping && this.#restarts < maxRestarts;
    const wanted = onExit(child.pid ?? 0, reason, this.#running.size + (again ? 1 : 0));
    if (again && wanted) {
      const left = maxRestarts - ++this.#restarts;
      onRestart(
        `worker process ${child.pid}: ${reason}; another is started in its place (${counted(left, 'more time')})`,
      );
      this.#start(index);
    }
    if (this.#running.size === 0) this.#onEmpty?.();
  }
}

function threadsOf({ threads, count }: LocalWorkersOptions): number {
  return threads > 0 ? threads : Math.max(1, Math.floor(availableParallelism() / count));
}

function startWorker(options: LocalWorkersOptions, index: number): ChildProcess {
  const log = openSync(join(options.logDir, `worker-${index}.log`), 'a');
  const args = [
    ...['worker', '--coordinator', options.coordinator, '--log-level', options.logLevel],
    ...['--threads', String(threadsOf(options)), '--device', options.deviceOf(index)],
    ...['--place', String(index)],
  ];
  const child = spawn(process.execPath, [CLI, ...args, '--supervised'], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}
