// Tells whether anything has changed since the last build, by names, sizes and times only. This takes some
// milliseconds, while the build itself reads every file and asks the compilers.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STATE = 'dist/.build-state';

/** The files that a build reads. */
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'proto', 'native/src'];
const FILES = ['tsconfig.json', 'package-lock.json'];

/** Results that represent all others. If an addon cannot be built, its file does not exist. */
const RESULTS = [
  'dist/.tsbuildinfo',
  'dist/src/program/cli.js',
  'native/build/vitrail.node',
  'native/build/vitrail-cuda.node',
];

function filesOf(folder, recursive = true) {
  return readdirSync(folder, { withFileTypes: true, recursive })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The time of a file's last change of any kind, because the modification time can be set back. */
function lineOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return `${path} ${stat?.size} ${stat?.ctimeMs}`;
}

function currentState() {
  const sources = FOLDERS.flatMap((folder) => filesOf(folder));
  const paths = [...sources, ...filesOf('native', false), ...FILES, ...RESULTS].sort();
  return createHash('sha256').update(paths.map(lineOf).join('\n')).digest('hex');
}

/** Whether sources and results are as the last build left them, whatever its options were. */
export function isBuilt() {
  return existsSync(STATE) && readFileSync(STATE, 'utf8') === currentState();
}

/** Has to be called when a build has succeeded. */
export function noteBuilt() {
  writeFileSync(STATE, currentState());
}
