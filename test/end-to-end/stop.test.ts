/** A stop is asked for while something slow is under way: a checkpoint at once, and the same weights when resumed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder } from './cli-run.js';

const folder = temporaryFolder();
const runDir = (name: string): string => join(folder.path, name);
let data = '';
let reference = '';

function argumentsOf(name: string, ...flags: string[]): string[] {
  return ['train', '--data', data, '--out', runDir(name), '--json', ...SMALL_RUN, ...flags];
}

interface Summary {
  readonly weightDigest: string;
  readonly steps: number;
  readonly reason: string;
  readonly test: { readonly accuracy: number } | null;
}

before(async () => {
  data = await smallDataset(folder.path);
  const { stdout, stderr } = await cli(...argumentsOf('straight', '--workers', '1'));
  assert.match(stdout, /weightDigest/, stderr);
  reference = withoutTimes(JSON.parse(stdout) as Summary);
});

after(() => folder.remove());

/** What has to be the same of two runs. */
function withoutTimes({ weightDigest, steps, reason, test: figures }: Summary): string {
  return JSON.stringify({ weightDigest, steps, reason, figures });
}

function newestCheckpoint(name: string): string {
  return readdirSync(join(runDir(name), 'checkpoints'))
    .filter((entry) => entry.startsWith('step-'))
    .sort()
    .at(-1)!;
}

/** Stops a run whose workers all stand still at `fault` for good, and resumes it with one. */
async function stoppedAt(name: string, workers: number, fault: string, step: number): Promise<void> {
  const run = startCli(argumentsOf(name, '--workers', String(workers)), { VITRAIL_FAULTS: fault });
  const log = (worker: number): string => readFileSync(join(runDir(name), `worker-${worker}.log`), 'utf8');
  await run.seen(/\d workers? \(/);
  for (
    let tries = 0;
    ![...Array(workers).keys()].every((worker) => log(worker).includes(`fault ${fault.split('@')[0]}`));
    tries++
  ) {
    assert.ok(tries < 1200, 'the workers have not come to the fault');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  run.child.kill('SIGINT');
  const { code, stdout, stderr } = await run.done;
  assert.equal(code, 130, stderr);
  const summary = JSON.parse(stdout) as Summary;
  assert.deepEqual([summary.steps, summary.reason], [step, 'stopped by SIGINT']);
  assert.equal(Number(/\d+$/.exec(newestCheckpoint(name))?.[0]), step);
  const resumed = await cli(...argumentsOf(name, '--workers', '1', '--resume'));
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal(withoutTimes(JSON.parse(resumed.stdout) as Summary), reference);
}

test('a step that would never end is not waited for', async () => {
  await stoppedAt('in-a-step', 2, 'mid-micro-batch@6:hang', 6);
  const steps = logLines(runDir('in-a-step'), 'step').map((line) => line['step']);
  assert.deepEqual(steps, [...steps.keys()]);
});

test('an evaluation that would never end is not waited for; its epoch is concluded when the run is resumed', async () => {
  // 56 images in batches of 16: an epoch has 4 steps, and this is the last one.
  await stoppedAt('at-the-end', 1, 'evaluation@16:hang', 16);
});
