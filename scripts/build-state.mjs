// Whether anything was changed since the last build, told from names, sizes and times alone: some milliseconds, where the
// build itself reads every file and asks the compilers.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STATE = 'dist/.build-state';

/** What a build reads. */
const FOLDERS = ['src', 'test', 'bench', 'scripts', 'proto', 'native/src'];
const FILES = ['tsconfig.json', 'package-lock.json'];

/** Results that stand for all. Where an addon cannot be built there is none. */
const RESULTS = ['dist/.tsbuildinfo', 'native/build/vitrail.node', 'native/build/vitrail-cuda.node'];

function filesOf(folder, recursive = true) {
  return readdirSync(folder, { withFileTypes: true, recursive })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The time of a file's last change of any kind: a time of modification can be set to what it was. */
function lineOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return `${path} ${stat?.size} ${stat?.ctimeMs}`;
}

function currentState() {
  const sources = FOLDERS.flatMap((folder) => filesOf(folder));
  const paths = [...sources, ...filesOf('native', false), ...FILES, ...RESULTS].sort();
  return createHash('sha256').update(paths.map(lineOf).join('\n')).digest('hex');
}

/** Whether sources and results are as the last build left them, whatever it was told to build. */
export function isBuilt() {
  return existsSync(STATE) && readFileSync(STATE, 'utf8') === currentState();
}

/** To be called when a build has succeeded. */
export function noteBuilt() {
  writeFileSync(STATE, currentState());
}
