/** Runs a coordinator and workers as processes under a schedule of faults, and replaces those that die. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { reasonOf } from '../errors/errors.js';
import { FAULT, faultText, parseFaults, STOPPED, type Fault } from '../host/fault-injection.js';
import { COMMAND_LINE } from '../host/programs.js';
import { CuttableLink } from './cuttable-link.js';
import { stillToCome, type ChaosSchedule } from './schedule.js';
import { isRunning, wake } from './waking.js';

export interface FleetOptions {
  /** YAML config of the run. */
  readonly configPath: string;
  readonly runDir: string;
  readonly schedule: ChaosSchedule;
  /** Silence after which the coordinator removes a worker. */
  readonly removeAfterMs: number;
  /** Longest run. */
  readonly timeoutMs: number;
}

export interface FleetResult {
  /** The digest of the final weights; null if the run did not end well. */
  readonly weightDigest: string | null;
  readonly steps: number;
  /** Faults that have happened, as text. */
  readonly hit: readonly string[];
  readonly problems: readonly string[];
  readonly seconds: number;
}

const RESPAWN_MS = 100;
/**
 * Faults of even steps end before the coordinator removes a silent worker, those of odd steps only after
 * that.
 */
const SHORT_MS = 250;
const LONG_EXTRA_MS = 700;
const LEAVE_AFTER_MS = 3000;
const END_MS = 20_000;
const LAST_LINES = 12;

interface Part {
  readonly name: string;
  faults: Fault[];
  child: ChildProcess | null;
  link: CuttableLink | null;
  last: string[];
  /** Stops that have happened. */
  stopped: Set<string>;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #coordinator: Part;
  readonly #workers: readonly Part[];
  readonly #hit: string[] = [];
  readonly #problems: string[] = [];
  #address: { readonly host: string; readonly port: number } | null = null;
  #stdout = '';
  #over = false;
  #end!: (code: number | null) => void;
  readonly #ended: Promise<number | null>;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { coordinator, workers } = options.schedule;
    const part = (name: string, faults: readonly Fault[]): Part => {
      return { name, faults: [...faults], child: null, link: null, last: [], stopped: new Set() };
    };
    this.#coordinator = part('coordinator', coordinator);
    this.#workers = workers.map((faults, i) => part(`worker in place ${i}`, faults));
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** Runs to the end of training, or to the time limit. */
  async run(): Promise<FleetResult> {
    const startMs = performance.now();
    const timer = setTimeout(() => {
      this.#problems.push(`it took longer than ${this.#options.timeoutMs} ms`);
      this.#end(null);
    }, this.#options.timeoutMs);
    this.#startCoordinator();
    const code = await this.#ended;
    clearTimeout(timer);
    this.#over = true;
    if (code !== 0)
      this.#problems.push(`the coordinator ended with ${code}: ${this.#coordinator.last.join('\n')}`);
    await this.#stopAll();
    const summary = this.#summary();
    const { weightDigest, steps } = summary ?? { weightDigest: null, steps: 0 };
    const seconds = (performance.now() - startMs) / 1000;
    return { weightDigest, steps, hit: this.#hit, problems: this.#problems, seconds };
  }

  /** Ends all processes at once, and with them the run. */
  async kill(): Promise<void> {
    this.#over = true;
    const parts = [this.#coordinator, ...this.#workers];
    await Promise.all(
      parts.map(async ({ child, link }) => {
        link?.close();
        if (child === null || !isRunning(child)) return;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }),
    );
    this.#end(null);
  }

  #summary(): { weightDigest: string | null; steps: number } | null {
    try {
      return JSON.parse(this.#stdout) as { weightDigest: string | null; steps: number };
    } catch {
      return null;
    }
  }

  #startCoordinator(): void {
    if (this.#over) return;
    this.#stdout = '';
    const { configPath, runDir } = this.#options;
    const child = this.#spawn(this.#coordinator, [
      ...['coordinator', '--config', configPath, '--out', runDir, '--json'],
      // The same command again, which finds the journal. (The first time there is none, and so nothing to
      // resume.)
    ]);
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    child.once('exit', (code, signal) => {
      if (this.#over) return;
      if (signal === 'SIGKILL') setTimeout(() => this.#startCoordinator(), RESPAWN_MS);
      // 'close' comes after the output that is still in the pipe.
      else child.once('close', () => this.#end(code));
    });
  }

  #startWorker(part: Part): void {
    this.#connectWorker(part).catch((error: unknown) => {
      this.#problems.push(`${part.name} was not started: ${reasonOf(error)}`);
      this.#end(null);
    });
  }

  async #connectWorker(part: Part): Promise<void> {
    if (this.#address === null) return;
    part.link?.close();
    part.link = await CuttableLink.open(this.#address);
    // The run may have ended meanwhile. Then nobody would end this process.
    if (this.#over) {
      part.link.close();
      return;
    }
    const address = `tcp://127.0.0.1:${part.link.port}`;
    const child = this.#spawn(part, [
      'worker',
      '--coordinator',
      address,
      '--metrics-listen',
      'none',
      '--supervised',
    ]);
    child.once('exit', (code, signal) => {
      if (this.#over || code === 0) return;
      if (signal !== 'SIGKILL') {
        this.#problems.push(`${part.name} ended with ${code ?? signal}: ${part.last.join('\n')}`);
      }
      setTimeout(() => this.#startWorker(part), RESPAWN_MS);
    });
  }

  #spawn(part: Part, args: readonly string[]): ChildProcess {
    const env = { ...process.env, NO_COLOR: '1', VITRAIL_FAULTS: part.faults.map(faultText).join(',') };
    const child = spawn(process.execPath, [COMMAND_LINE, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    part.child = child;
    child.once('error', (error) => {
      this.#problems.push(`${part.name} was not started: ${error.message}`);
      this.#end(null);
    });
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#read(part, child, line);
    });
    return child;
  }

  #read(part: Part, child: ChildProcess, line: string): void {
    part.last = [...part.last, line].slice(-LAST_LINES);
    const [word = '', text = ''] = line.split(' ');
    const fault = word === FAULT ? parseFaults(text)[0] : undefined;
    if (fault !== undefined) this.#happened(part, child, fault);
    if (word === STOPPED) part.stopped.add(text);
    const address = /vitrail worker --coordinator tcp:\/\/([^:]+):(\d+)/.exec(line);
    if (address === null || this.#address !== null) return;
    this.#address = { host: '127.0.0.1', port: Number(address[2]) };
    for (const worker of this.#workers) this.#startWorker(worker);
  }

  #happened(part: Part, child: ChildProcess, fault: Fault): void {
    const { action, step } = fault;
    this.#hit.push(`${part.name}: ${faultText(fault)}`);
    part.faults = stillToCome(part.faults, fault);
    const ms = step % 2 === 0 ? SHORT_MS : this.#options.removeAfterMs + LONG_EXTRA_MS;
    if (action === 'stop') setTimeout(() => wake(child, () => part.stopped.has(faultText(fault))), ms);
    if (action === 'cut') part.link?.cut(ms);
  }

  async #stopAll(): Promise<void> {
    await Promise.all([this.#coordinator, ...this.#workers].map(async (part) => this.#stop(part)));
    for (const { link } of this.#workers) link?.close();
  }

  async #stop({ name, child, last }: Part): Promise<void> {
    if (child === null || !isRunning(child)) return;
    await new Promise<void>((resolve) => {
      // A worker that was cut off when the run ended waits for a coordinator that does not come back.
      const timers = [
        setTimeout(() => child.kill('SIGTERM'), LEAVE_AFTER_MS),
        setTimeout(() => {
          this.#problems.push(`${name} had to be killed at the end: ${last.join('\n')}`);
          child.kill('SIGKILL');
        }, END_MS),
      ];
      child.once('exit', () => {
        timers.forEach(clearTimeout);
        resolve();
      });
    });
  }
}
