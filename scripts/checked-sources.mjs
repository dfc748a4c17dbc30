// Tells whether any file that a check depends on has changed since the check passed, by the contents of the files that
// git would commit. Outside of a clone this cannot be told, and everything is checked.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const NOTES = 'node_modules/.cache/vitrail';

function digestOf(concerns) {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) return undefined;
  const hash = createHash('sha256').update(process.version);
  const files = stdout.split('\0').filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  for (const path of files.filter(concerns).sort()) hash.update(`\0${path}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

/** The state of the files of a check when it is made, because a file may change meanwhile. */
export class CheckedSources {
  #note;
  #digest;

  /** @param {string} check its name @param {(path: string) => boolean} concerns whether it depends on a file */
  constructor(check, concerns = () => true) {
    this.#note = join(NOTES, check);
    this.#digest = digestOf(concerns);
  }

  get unchanged() {
    return (
      this.#digest !== undefined &&
      existsSync(this.#note) &&
      readFileSync(this.#note, 'utf8') === this.#digest
    );
  }

  /** Has to be called when the check has passed. */
  passed() {
    if (this.#digest === undefined) return;
    mkdirSync(dirname(this.#note), { recursive: true });
    writeFileSync(this.#note, this.#digest);
  }
}
