/** The promise through interruptions: a run that is stopped, killed or prolonged ends with the weights of one that was not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLines, slowSteps, startCli } from './cli-run.js';
import { summaryOf, TrainedRuns, type Summary } from './trained-runs.js';

const runs = new TrainedRuns();

test('a run that is stopped, resumed, killed within an epoch and resumed, each time on another number of workers, ends with the same weights', async () => {
  // 56 images in batches of 12: an epoch has 5 steps, the last of them smaller.
  const flags = [
    '--ema-decay',
    '0.9',
    '--batch',
    '12',
    '--checkpoint-every-steps',
    '3',
    '--evaluate-every',
    '3',
  ];
  const straight = await runs.trained('straight', '--workers', '1', ...flags);

  const args = ['train', ...runs.argumentsOf('resumed', '--workers', '2', ...flags)];
  const run = startCli(args, { VITRAIL_FAULTS: slowSteps(6, 4) });
  await run.seen(/epoch 1 /);
  run.child.kill('SIGINT');
  const stopped = await run.done;
  assert.equal(stopped.code, 130, stopped.stderr);
  const first = JSON.parse(stopped.stdout) as Summary;
  assert.equal(first.reason, 'stopped by SIGINT');
  assert.ok(first.steps > 0 && first.steps < straight.steps);

  const resume = ['--resume', runs.runDir('resumed'), '--json'];
  const killed = startCli(['train', ...resume, '--workers', '3'], { VITRAIL_FAULTS: 'after-commit@16:kill' });
  await killed.done;
  assert.equal(killed.child.signalCode, 'SIGKILL');
  const steps = logLines(runs.runDir('resumed'), 'step').map((line) => line['step']);
  assert.deepEqual(steps, [...steps.keys()], 'every step once, in order');
  assert.ok(steps.length > first.steps);

  const { weightDigest } = await summaryOf(...resume, '--workers', '1');
  assert.equal(weightDigest, straight.weightDigest);
});

test('a run that stopped early stays stopped when it is resumed, and keeps its summary', async () => {
  const flags = ['--early-stop-patience', '1', '--early-stop-metric', 'train-accuracy', '--lr', '1e-9'];
  const stopped = await runs.trained('early', '--workers', '1', ...flags);
  assert.ok(stopped.steps < 16, 'it stopped before its last step');
  assert.deepEqual(await runs.trained('early', '--workers', '2', '--resume', ...flags), stopped);
});

test('a run prolonged after it ended within an epoch ends as one that was to be prolonged from the start', async () => {
  const flags = ['--warmup-steps', '2', '--steps', '5', '--workers', '1'];
  const long = await runs.trained('long', ...flags, '--prolonged', '5:3');
  await runs.trained('prolonged', ...flags);
  const again = await summaryOf('--resume', runs.runDir('prolonged'), '--extend-to-epochs', '3', '--json');
  assert.equal(again.weightDigest, long.weightDigest);
});
