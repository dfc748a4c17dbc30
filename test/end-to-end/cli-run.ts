/** Runs the real command line in real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { drawDataset } from '../../src/demo/drawn-dataset.js';

const CLI = resolve('dist/src/program/cli.js');
const LONGEST_RUN_MS = 200_000;

let coverage = '';

/** Has the processes of this test file counted in the coverage, which costs a quarter of their time: few files ask. */
export function coverProcesses(): void {
  coverage = process.env['NODE_V8_COVERAGE'] ?? '';
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRun {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
  /** Resolves when stderr has matched `pattern`; rejects when the process ends first. */
  seen(pattern: RegExp): Promise<string>;
}

/**
 * @param env added to this process's environment
 * @param wrapper a command that runs the command line, `ip netns exec NAME` for one
 */
export function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): CliRun {
  const [command, ...rest] = [...wrapper, process.execPath, CLI, ...args];
  const child = spawn(command!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', NODE_V8_COVERAGE: coverage, ...env },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_RUN_MS);
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const watch of watchers) watch();
  });
  const done = new Promise<CliResult>((settle) => {
    child.once('close', (code) => {
      clearTimeout(timer);
      settle({ code, stdout, stderr });
    });
  });
  const seen = async (pattern: RegExp): Promise<string> =>
    new Promise((settle, reject) => {
      const watch = (): void => {
        const match = pattern.exec(stderr);
        if (match === null) return;
        watchers.delete(watch);
        settle(match[0]);
      };
      watchers.add(watch);
      watch();
      void done.then(() => reject(new Error(`ended before ${pattern.source}: ${stderr}`)));
    });
  return { child, done, seen };
}

export async function cli(...args: string[]): Promise<CliResult> {
  return startCli(args).done;
}

/** A temporary folder, and what removes it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'vitrail-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A small drawn data set in `folder`. */
export async function smallDataset(folder: string): Promise<string> {
  const path = join(folder, 'data');
  await drawDataset(path, { seed: 1, trainPerClass: 7, testPerClass: 3 });
  return path;
}

/** Flags of a run of 16 steps that is random in every way a run can be, by the kernels that this machine has. */
export const SMALL_RUN: readonly string[] = [
  '--model vit-micro/16 --image-size 32 --dropout 0.1 --transform paper --batch 16 --micro-batch 4 --epochs 4',
  '--warmup-steps 4 --lr 0.001 --label-smoothing 0.1 --seed 7',
].flatMap((flags) => flags.split(' '));

/** Flags behind SMALL_RUN of one that would train for minutes. */
export const ENDLESS: readonly string[] = ['--epochs', '20000', '--keep-last', '1'];

/**
 * VITRAIL_FAULTS of a worker that stands still for half a second before each of `count` steps, the first of them `step`:
 * what a test does meanwhile comes in time, however fast the machine is.
 */
export function slowSteps(step: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `before-compute@${step + i}:slow`).join(',');
}

/** The lines of a run's metrics.jsonl of one type. */
export function logLines(runDir: string, type: string): Record<string, unknown>[] {
  return readFileSync(join(runDir, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['type'] === type);
}

/** Whether a process still exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
