/**
 * What a death costs: time from a kill to the next commit, from a coordinator's restart to the next commit, and the
 * time of a commit, of a small model on loopback; and the time of taking the state from a peer, by size.
 *
 *   node dist/bench/reliability.js          (prints JSON)
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawDataset } from '../src/demo/drawn-dataset.js';
import { systemHost } from '../src/host/host.js';
import { COMMAND_LINE } from '../src/host/programs.js';
import { StateFetch } from '../src/worker/link/state-fetch.js';
import { serveState } from '../src/worker/link/state-server.js';
import { nextMessage } from './child-answers.js';
import { median } from './workspace.js';

const TOKEN = '0123456789abcdef';
const WAIT_MS = 120_000;
const REPEATS = 5;
/** Parameters of vit-micro/8, Ti/16, S/16 and B/16; AdamW's state is three times as many floats. */
const MODELS = {
  'vit-micro/8': 214_088,
  'vit-ti/16': 5_717_416,
  'vit-s/16': 22_050_664,
  'vit-b/16': 86_567_656,
};

/** Serves `bytes` of zeros a part, told by the parent, until that ends. */
async function serve(): Promise<void> {
  const bytes = Number(process.argv[3]);
  const part = new Uint8Array(bytes);
  const server = await serveState(systemHost, { host: '127.0.0.1' }, TOKEN, () => part);
  process.send?.(server.endpoint);
  process.on('disconnect', () => process.exit());
}

async function joinMs(parameters: number): Promise<number> {
  const bytes = 4 * parameters;
  const server = fork(fileURLToPath(import.meta.url), ['serve', String(bytes)]);
  try {
    return await takingMs(await nextMessage<string>(server, WAIT_MS), bytes);
  } finally {
    server.kill();
  }
}

async function takingMs(endpoint: string, bytes: number): Promise<number> {
  const parts = Object.fromEntries(
    ['weights', 'exp_avg', 'exp_avg_sq'].map((n) => [n, new SharedArrayBuffer(bytes)]),
  );
  const startMs = performance.now();
  await new StateFetch(systemHost, 1, TOKEN, parts).run([endpoint]);
  return performance.now() - startMs;
}

interface Line {
  readonly type: string;
  readonly time: string;
  readonly step: number;
  readonly commitMs: number;
  readonly roundMs: number;
}

class BenchRun {
  readonly #folder: string;
  readonly #runDir: string;
  coordinator: ChildProcess;
  #address = '';
  readonly #started: ChildProcess[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    this.#runDir = join(folder, 'run');
    this.coordinator = this.startCoordinator();
  }

  startCoordinator(): ChildProcess {
    const small = ['--model', 'vit-micro/8', '--image-size', '32', '--batch', '16', '--micro-batch', '4'];
    const length = [
      '--epochs',
      '100000',
      '--workers',
      '3',
      '--evaluate-every',
      '100000',
      '--min-workers',
      '1',
    ];
    const where = ['--data', join(this.#folder, 'data'), '--out', this.#runDir];
    this.coordinator = spawn(process.execPath, [COMMAND_LINE, 'coordinator', ...where, ...small, ...length], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#started.push(this.coordinator);
    this.coordinator.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#address ||= /tcp:\/\/[\d.:]+/.exec(text)?.[0] ?? '';
    });
    return this.coordinator;
  }

  async worker(): Promise<ChildProcess> {
    const deadlineMs = Date.now() + WAIT_MS;
    while (this.#address === '') {
      if (Date.now() > deadlineMs) throw new Error(`no address of the coordinator within ${WAIT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const args = [COMMAND_LINE, 'worker', '--coordinator', this.#address];
    const worker = spawn(process.execPath, args, { stdio: 'ignore' });
    this.#started.push(worker);
    return worker;
  }

  /** Ends every process that was started. */
  end(): void {
    for (const child of this.#started) child.kill('SIGKILL');
  }

  steps(): Line[] {
    const path = join(this.#runDir, 'metrics.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Line).filter(({ type }) => type === 'step');
  }

  /** Waits for `count` more steps. @returns when the first of them was committed, as the clock says */
  async moreSteps(count: number, sinceMs = Date.now()): Promise<number> {
    const deadlineMs = Date.now() + WAIT_MS;
    for (;;) {
      const later = this.steps().filter(({ time }) => Date.parse(time) > sinceMs);
      if (later.length >= count) return Date.parse(later[0]!.time);
      if (Date.now() > deadlineMs) throw new Error(`no ${count} steps within ${WAIT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-bench-'));
  try {
    await measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Deaths {
  readonly commits: readonly number[];
  readonly rounds: readonly number[];
  readonly killMs: readonly number[];
  readonly restartMs: readonly number[];
}

async function measure(folder: string): Promise<void> {
  await drawDataset(join(folder, 'data'), { seed: 1, trainPerClass: 8, testPerClass: 2 });
  const run = new BenchRun(folder);
  let deaths: Deaths;
  try {
    deaths = await deathsOf(run);
  } finally {
    run.end();
  }
  const { commits, rounds, killMs, restartMs } = deaths;
  const joins: Record<string, number> = {};
  for (const [name, parameters] of Object.entries(MODELS)) joins[name] = Math.round(await joinMs(parameters));
  const result = {
    stepMedianMs: median(rounds),
    commitMedianMs: median(commits),
    killToCommitMs: { median: median(killMs), all: killMs },
    restartToCommitMs: { median: median(restartMs), all: restartMs },
    joinMs: joins,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

async function deathsOf(run: BenchRun): Promise<Deaths> {
  const workers = [await run.worker(), await run.worker(), await run.worker()];
  const killMs: number[] = [];
  const restartMs: number[] = [];
  await run.moreSteps(30);
  const commits = run.steps().map(({ commitMs }) => commitMs);
  const rounds = run.steps().map(({ roundMs }) => roundMs);
  for (let i = 0; i < REPEATS; i++) {
    const atMs = Date.now();
    workers.shift()?.kill('SIGKILL');
    killMs.push((await run.moreSteps(1, atMs)) - atMs);
    workers.push(await run.worker());
    await run.moreSteps(60);
  }
  for (let i = 0; i < REPEATS; i++) {
    run.coordinator.kill('SIGKILL');
    await once(run.coordinator, 'exit', { signal: AbortSignal.timeout(WAIT_MS) });
    const atMs = Date.now();
    run.startCoordinator();
    restartMs.push((await run.moreSteps(1, atMs)) - atMs);
    await run.moreSteps(10);
  }
  return { commits, rounds, killMs, restartMs };
}

if (process.argv[2] === 'serve') await serve();
else await main();
