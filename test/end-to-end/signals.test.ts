/** What shells, terminals and schedulers send, to real processes: docs/signals.md is the table. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { ENDLESS, isAlive, SMALL_RUN, smallDataset, startCli, temporaryFolder } from './cli-run.js';

const folder = temporaryFolder();
const runDir = (name: string): string => join(folder.path, name);
let data = '';

before(async () => {
  data = await smallDataset(folder.path);
});

/** Ended with the tests, whatever becomes of these. */
const started: ChildProcess[] = [];

after(() => {
  for (const child of started) child.kill('SIGKILL');
  for (const name of ['closed', 'kept']) {
    const pid = coordinatorOf(name);
    if (pid !== null && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
  folder.remove();
});

function start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, options);
  started.push(child);
  return child;
}

/** Of a run that would train for minutes. */
function longRun(name: string): string[] {
  const flags = [...SMALL_RUN, ...ENDLESS, '--workers', '1'];
  return ['train', '--data', data, '--out', runDir(name), '--json', ...flags];
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 1200, `${what} has not come`);
    await new Promise((settle) => setTimeout(settle, 50));
  }
}

/** Committed so far. The last line of the log may be half-written when it is looked at. */
function steps(name: string): number {
  const path = join(runDir(name), 'metrics.jsonl');
  return existsSync(path) ? readFileSync(path, 'utf8').split('"type":"step"').length - 1 : 0;
}

/** The process that trains into the folder, null when it has ended. */
function coordinatorOf(name: string): number | null {
  const path = join(runDir(name), 'coordinator-1.lock');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid : null;
}

interface Summary {
  readonly completed: boolean;
  readonly reason: string;
}

const summaryOf = (name: string): Summary =>
  JSON.parse(readFileSync(join(runDir(name), 'summary.json'), 'utf8')) as Summary;

// SIGHUP comes from a closed terminal below.
for (const signal of ['SIGUSR1', 'SIGXCPU'] as const) {
  test(`${signal} stops a run with a checkpoint`, async () => {
    const run = startCli(longRun(signal));
    await run.seen(/epoch 1 /);
    run.child.kill(signal);
    const { code, stderr } = await run.done;
    assert.equal(code, 128 + constants.signals[signal], stderr);
    assert.deepEqual([summaryOf(signal).completed, summaryOf(signal).reason], [true, `stopped by ${signal}`]);
    assert.doesNotMatch(stderr, /[Dd]ebugger/);
  });
}

test('SIGQUIT and SIGUSR2 end a run that waits for its workers', async () => {
  const signals = ['SIGQUIT', 'SIGUSR2'] as const;
  const runs = signals.map((signal) =>
    startCli(['coordinator', '--data', data, '--out', runDir(signal), ...SMALL_RUN]),
  );
  for (const [i, run] of runs.entries()) {
    const signal = signals[i]!;
    await run.seen(/waiting for 1 worker:/);
    run.child.kill(signal);
    assert.equal((await run.done).code, 128 + constants.signals[signal]);
  }
});

test('SIGUSR1 ends a worker that waits for its coordinator in order, and opens no debugger', async () => {
  const worker = startCli(['worker', '--coordinator', 'tcp://127.0.0.1:1']);
  await worker.seen(/looking for the coordinator/);
  worker.child.kill('SIGUSR1');
  const { code, stderr } = await worker.done;
  assert.equal(code, 138);
  assert.doesNotMatch(stderr, /[Dd]ebugger/);
});

test('a terminal that is closed stops its run with a checkpoint, and goes on under nohup', async (t) => {
  if (!existsSync('/usr/bin/script')) {
    t.skip('there is no script(1)');
    return;
  }
  const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');
  const begin = (name: string, prefix: string, behind: string) =>
    start(
      'script',
      ['-qec', `${prefix} ${quoted([resolve('bin/vitrail'), ...longRun(name)])} ${behind}`, '/dev/null'],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
  const plain = begin('closed', 'exec', '');
  const kept = begin('kept', 'exec nohup', `>'${runDir('kept')}.out' 2>&1`);
  await until('the first steps', () => steps('closed') > 0 && steps('kept') > 0);
  plain.kill('SIGKILL');
  kept.kill('SIGKILL');
  await until('the end of the run', () => existsSync(join(runDir('closed'), 'summary.json')));
  assert.equal(summaryOf('closed').reason, 'stopped by SIGHUP');
  const before = steps('kept');
  await until('another epoch', () => steps('kept') > before + 8);
  const pid = coordinatorOf('kept')!;
  process.kill(pid, 'SIGTERM');
  await until('its end', () => !isAlive(pid));
  assert.equal(summaryOf('kept').reason, 'stopped by SIGTERM');
});

test('SIGTERM to the whole group, as systemd and Slurm send it, stops a run with a checkpoint', async () => {
  const child = start(process.execPath, [resolve('dist/src/program/cli.js'), ...longRun('group')], {
    stdio: ['ignore', 'ignore', 'ignore'],
    detached: true,
  });
  await until('the first step', () => steps('group') > 0);
  process.kill(-child.pid!, 'SIGTERM');
  process.kill(-child.pid!, 'SIGHUP');
  const [code] = (await once(child, 'exit')) as [number | null];
  // Of two that wait to be delivered the system picks either.
  assert.ok(code === 143 || code === 129, `code ${code}`);
  assert.match(summaryOf('group').reason, /^stopped by SIG(TERM|HUP)$/);
});

test('a run goes on when the reader of its output has gone', async () => {
  const args = longRun('unread').map((word) => (word === '20000' ? '2' : word));
  const child = start(process.execPath, [resolve('dist/src/program/cli.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout!.destroy();
  child.stderr!.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  assert.equal(code, 0);
  assert.equal(summaryOf('unread').reason, 'finished');
});

test('a full disk behind the output is reported', async () => {
  const { code, stderr } = await startCli(['summary', 'vit-b/16'], {}, [
    'bash',
    '-c',
    'exec "$@" >/dev/full',
    'bash',
  ]).done;
  assert.equal(code, 1);
  assert.match(stderr, /OUTPUT_WRITE_FAILED.*ENOSPC/);
});
