/**
 * The cache of models from a hub, in the layout of huggingface_hub, which may share it: `blobs/` holds files by checksum,
 * `snapshots/COMMIT/` links to them, and `refs/REVISION` holds the commit that a branch or tag stood for.
 */
import { mkdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { coded, hasCode, reasonOf } from '../../errors/errors.js';
import type { HubName } from './hub-name.js';

const COMMIT = /^[0-9a-f]{40}$/;

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT', 'ENOTDIR')) return null;
    throw thrown;
  }
}

/** A file gets its name in a snapshot when all of it is there, so what has a name is whole. */
export class HubCache {
  readonly #folder: string;
  readonly #name: HubName;

  constructor(cache: string, name: HubName) {
    this.#folder = join(cache, `models--${name.repository.replaceAll('/', '--')}`);
    this.#name = name;
  }

  /** The commit that the revision stood for when it was last asked; null if it never was. */
  async commit(): Promise<string | null> {
    const { revision } = this.#name;
    if (COMMIT.test(revision)) return revision;
    const text = await textOf(join(this.#folder, 'refs', revision));
    return text !== null && COMMIT.test(text.trim()) ? text.trim() : null;
  }

  /** The folder of a commit's files. */
  snapshot(commit: string): string {
    return join(this.#folder, 'snapshots', commit);
  }

  /** Where the content of a file goes by its checksum. */
  blob(checksum: string): string {
    return join(this.#folder, 'blobs', checksum);
  }

  /** Makes the folder of blobs. */
  async prepare(): Promise<void> {
    await this.#writing(async () => {
      await mkdir(join(this.#folder, 'blobs'), { recursive: true });
    });
  }

  async has(commit: string, file: string): Promise<boolean> {
    return stat(join(this.snapshot(commit), file)).then(
      () => true,
      () => false,
    );
  }

  /** Gives a downloaded blob its name in the snapshot. */
  async link(commit: string, file: string, checksum: string): Promise<void> {
    await this.#writing(async () => {
      const path = join(this.snapshot(commit), file);
      await mkdir(dirname(path), { recursive: true });
      try {
        await symlink(relative(dirname(path), this.blob(checksum)), path);
      } catch (thrown) {
        if (!hasCode(thrown, 'EEXIST')) throw thrown;
      }
    });
  }

  /** Notes that the revision stands for the commit. */
  async refer(commit: string): Promise<void> {
    const { revision } = this.#name;
    if (revision === commit) return;
    await this.#writing(() => this.#write(join(this.#folder, 'refs', revision), commit));
  }

  async #write(path: string, text: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const unfinished = `${path}.${process.pid}.incomplete`;
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  }

  async #writing(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      throw coded('HUB_CACHE_FAILED', { path: this.#folder, reason: reasonOf(thrown) });
    }
  }
}
