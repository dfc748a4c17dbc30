/** A device or backend that is not there is refused at once, once, and with the reason that `vitrail devices` gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tensorflowInstalled } from '../../src/nn/backend/tensorflow-package.js';
import { startCli, temporaryFolder } from './cli-run.js';

/** Of a machine without CUDA kernels. */
const NO_CUDA = { VITRAIL_CUDA: '/nowhere/vitrail-cuda.node' };
const skip = tensorflowInstalled() ? 'the tensorflow backend is installed here' : false;

function times(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

test(
  'a worker without the GPU it is to use says so before it looks for a coordinator',
  { skip },
  async () => {
    const args = ['worker', '--coordinator', 'tcp://127.0.0.1:9', '--device', 'cuda:0'];
    const { code, stderr } = await startCli(args, NO_CUDA).done;
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error DEVICE_UNUSABLE: the device cuda:0 cannot be used: the CUDA kernels are not built/,
    );
    assert.doesNotMatch(stderr, /coordinator|tensorflow/);
    const devices = await startCli(['devices'], NO_CUDA).done;
    assert.match(devices.stdout, /none: the CUDA kernels are not built/);
  },
);

test('a run on GPUs that are not there is refused once, and leaves no run folder', { skip }, async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const args = ['train', '--data', folder.path, '--workers', '3', '--out', `${folder.path}/run`];
  for (const [flags, code] of [
    [
      ['--devices', 'cuda:0'],
      'DEVICE_UNUSABLE: the device cuda:0 cannot be used: the CUDA kernels are not built',
    ],
    [['--backend', 'tensorflow'], 'BACKEND_NOT_INSTALLED: the backend tensorflow is not installed'],
  ] as const) {
    const { code: exit, stderr } = await startCli([...args, ...flags], NO_CUDA).done;
    assert.equal(exit, 1);
    assert.ok(stderr.startsWith(`error ${code}`), stderr);
    assert.equal(times(stderr, /error /g), 1, stderr);
  }
});
