/** The promise through interruptions: a run that is stopped, killed or prolonged ends with the weights of one that was not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLines, startCli } from './cli-run.js';
import { summaryOf, TrainedRuns, type Summary } from './trained-runs.js';

const runs = new TrainedRuns();

test('a run stopped with Ctrl-C and resumed on another number of workers ends with the same weights', async () => {
  const straight = await runs.trained('straight', '--workers', '1');
  const run = startCli(['train', ...runs.argumentsOf('resumed', '--workers', '2')]);
  await run.seen(/epoch 3 /);
  run.child.kill('SIGINT');
  const stopped = await run.done;
  assert.equal(stopped.code, 130, stopped.stderr);
  const first = JSON.parse(stopped.stdout) as Summary;
  assert.equal(first.reason, 'stopped by SIGINT');

  const resumed = await summaryOf('--resume', runs.runDir('resumed'), '--workers', '3', '--json');
  assert.equal(resumed.weightDigest, straight.weightDigest);
  assert.ok(first.steps > 0 && first.steps < resumed.steps);
  const steps = logLines(runs.runDir('resumed'), 'step').map((line) => line['step']);
  assert.deepEqual(steps, [...new Set(steps)], 'no step was committed twice');
});

test('a run killed at a checkpoint within an epoch, with moving average, goes on to the same weights', async () => {
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
  const straight = await runs.trained('ema-straight', '--workers', '2', ...flags);
  const run = startCli(['train', ...runs.argumentsOf('ema-killed', ...flags, '--workers', '3')]);
  await run.seen(/epoch 2 /);
  run.child.kill('SIGKILL');
  await run.done;
  assert.equal(
    (await runs.trained('ema-killed', '--workers', '1', '--resume', ...flags)).weightDigest,
    straight.weightDigest,
  );
});

test('a run that stopped early stays stopped when it is resumed, and keeps its summary', async () => {
  const flags = ['--early-stop-patience', '1', '--early-stop-metric', 'train-accuracy', '--lr', '1e-9'];
  const stopped = await runs.trained('early', '--workers', '1', ...flags);
  assert.ok(stopped.steps < 24, 'it stopped before its last step');
  assert.deepEqual(await runs.trained('early', '--workers', '2', '--resume', ...flags), stopped);
});

test('a run prolonged after it ended within an epoch ends as one that was to be prolonged from the start', async () => {
  const flags = ['--warmup-steps', '2', '--steps', '5', '--workers', '2'];
  const long = await runs.trained('long', ...flags, '--prolonged', '5:3');
  await runs.trained('prolonged', ...flags);
  const again = await summaryOf('--resume', runs.runDir('prolonged'), '--extend-to-epochs', '3', '--json');
  assert.equal(again.weightDigest, long.weightDigest);
});
