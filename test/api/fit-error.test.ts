/** `vitrail fit` within `--micro-batch auto`: its error is told once, by whoever asked for it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { errorOf } from '../../src/api/local/fitting-micro-batch.js';

function fit(...flags: readonly string[]) {
  const args = [
    resolve('dist/src/program/cli.js'),
    'fit',
    '--model',
    'vit-ti/16',
    '--device',
    'cpu',
    ...flags,
  ];
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
}

test('the process that measures says nothing itself, and its error arrives whole', () => {
  const { status, stdout, stderr } = fit('--plain-error');
  assert.equal(status, 1);
  assert.equal(stderr, '');
  const error = errorOf(stdout);
  assert.equal(error?.code, 'DEVICE_UNUSABLE');
  assert.match(error.message, /memory is measured on a GPU only/);
});

test('run by a person, it prints text', () => {
  const { status, stdout, stderr } = fit();
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.equal(stderr.split('DEVICE_UNUSABLE').length, 2);
});

test('a measurement is not an error', () => {
  assert.equal(errorOf('{"microBatch":8}\n'), null);
  assert.equal(errorOf(''), null);
});
