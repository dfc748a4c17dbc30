// Brings a clone to the state where everything runs: installs what the lock file names, then builds. With --for-tests
// CUDA code is compiled where there is no GPU too.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { localArchitectures } from '../native/build-cuda.mjs';
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

// A clone serves the machine that it is on: only packages are built for every GPU. Tests compile for one at least.
const otherwise = process.argv.includes('--for-tests') ? '90' : 'none';
process.env.VITRAIL_CUDA_ARCHITECTURES = localArchitectures(otherwise);

if (!installed()) {
  console.error('installing packages ...');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    stdio: ['ignore', 2, 2],
  });
  if (result.status !== 0) {
    console.error('npm ci failed; its messages are above');
    process.exit(result.status ?? 1);
  }
  writeFileSync(MARKER, lockDigest);
}
await build();
