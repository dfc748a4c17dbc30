// Makes everything in a clone ready to run: installs the packages of the lock file, then builds. With
// --for-tests, kernels are compiled for every level that this processor can run, and CUDA code even if there
// is no GPU.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { localArchitectures } from '../native/build-cuda.mjs';
import { withProgress } from '../native/build-progress.mjs';
import { build } from './build.mjs';

const MARKER = 'node_modules/.vitrail-lock-digest';
const lockDigest = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');

function installed() {
  return existsSync(MARKER) && readFileSync(MARKER, 'utf8') === lockDigest;
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 9)) {
  console.error(`vitrail needs Node 20.9 or newer; this is ${process.versions.node}`);
  process.exit(1);
}

// A clone is built for its own machine; only packages are built for every GPU. Tests compile for at least one.
const forTests = process.argv.includes('--for-tests');
const otherwise = forTests ? '90' : 'none';
if (forTests) {
  process.env.VITRAIL_LEVELS ??= 'runnable';
  process.env.VITRAIL_WARNINGS ??= 'errors';
}
process.env.VITRAIL_CUDA_ARCHITECTURES = localArchitectures(otherwise);

if (!installed()) {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // The kernels are built below, together with the rest.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const env = { ...process.env, VITRAIL_BUILD: 'later' };
  try {
    await withProgress(`installing ${Object.keys(packages).length - 1} packages`, async () => {
      const child = spawn(npm, args, { stdio: ['ignore', 2, 2], env });
      const [status] = await once(child, 'close');
      if (status !== 0) throw new Error(`npm ci failed with ${status}; its messages are above`);
    });
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
  writeFileSync(MARKER, lockDigest);
}
await build();
