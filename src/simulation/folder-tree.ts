/** The folders of a simulated disk, as programs see them and as a power loss would leave them. */
import { FileContent, type RandomSource } from './file-content.js';

export class Folder {
  seen = new Map<string, Entry>();
  durable = new Map<string, Entry>();
}

export type Entry = Folder | FileContent;

/** A change of a name: it points to something else, or to nothing. */
interface NameChange {
  readonly folder: Folder;
  readonly name: string;
  readonly entry: Entry | null;
}

/** The result of following a path: the folder of its last name, and what that name points to. */
export interface Place {
  readonly folder: Folder;
  readonly name: string;
  readonly entry: Entry | null;
}

/** An error in the form of Node's. */
export function systemError(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated, ${call} '${path}'`), { code, syscall: call, path });
}

function applyTo(names: 'seen' | 'durable', { folder, name, entry }: NameChange): void {
  if (entry === null) folder[names].delete(name);
  else folder[names].set(name, entry);
}

export class FolderTree {
  readonly #root = new Folder();
  /** Changes that are not on the disk yet, the oldest first. Changes in the same list get there together. */
  #unsynced: (readonly NameChange[])[] = [];

  /** @throws ENOENT, ENOTDIR for the folders before the last name */
  place(call: string, path: string): Place {
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    const name = names.pop() ?? '';
    let folder = this.#root;
    for (const above of names) {
      const next = folder.seen.get(above);
      if (next === undefined) throw systemError('ENOENT', call, path);
      if (!(next instanceof Folder)) throw systemError('ENOTDIR', call, path);
      folder = next;
    }
    return { folder, name, entry: name === '' ? this.#root : (folder.seen.get(name) ?? null) };
  }

  /** As `place`, but something must be there. @throws ENOENT */
  entry(call: string, path: string): Entry {
    const { entry } = this.place(call, path);
    if (entry === null) throw systemError('ENOENT', call, path);
    return entry;
  }

  change(...together: readonly NameChange[]): void {
    for (const change of together) applyTo('seen', change);
    this.#unsynced.push(together);
  }

  /** Forces the names in `folder` to the disk. */
  sync(folder: Folder): void {
    this.#unsynced = this.#unsynced.filter((together) => {
      if (!together.some((change) => change.folder === folder)) return true;
      for (const change of together) applyTo('durable', change);
      return false;
    });
  }

  /** The least of the file at `path` that certainly survives a power loss; null if it may be gone. */
  durableFile(path: string): FileContent | null {
    let entry: Entry | undefined = this.#root;
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      entry = entry instanceof Folder ? entry.durable.get(name) : undefined;
    }
    return entry instanceof FileContent ? entry : null;
  }

  /** A power loss: any of the changes that no sync has forced to the disk may have got there. */
  losePower(random: RandomSource): void {
    for (const together of this.#unsynced) {
      if (random.chance(0.5)) for (const change of together) applyTo('durable', change);
    }
    this.#unsynced = [];
    const found = new Set<Entry>([this.#root]);
    for (const entry of found) {
      if (entry instanceof FileContent) {
        entry.losePower(random);
        continue;
      }
      entry.seen = new Map(entry.durable);
      for (const below of entry.durable.values()) found.add(below);
    }
  }
}
