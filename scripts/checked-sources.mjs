// Tells whether any file of the project has changed since its sources were last checked, by the contents of
// all files that git would commit. Outside of a clone this cannot be told, and everything is checked.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const NOTE = 'node_modules/.cache/vitrail/checked-sources';

function currentDigest() {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) return undefined;
  const hash = createHash('sha256').update(process.version);
  const files = stdout.split('\0').filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  for (const path of files.sort()) hash.update(`\0${path}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

/** Notes the state that is about to be checked, because a file may change meanwhile. */
let digest;

export function isUnchanged() {
  digest = currentDigest();
  return digest !== undefined && existsSync(NOTE) && readFileSync(NOTE, 'utf8') === digest;
}

/** Has to be called when all checks have passed. */
export function noteChecked() {
  if (digest === undefined) return;
  mkdirSync(dirname(NOTE), { recursive: true });
  writeFileSync(NOTE, digest);
}
