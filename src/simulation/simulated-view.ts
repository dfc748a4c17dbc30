/** The simulated disk as one process sees it. */
import type { Disk, DiskFile, OpenMode } from '../host/disk.js';
import { FileContent } from './file-content.js';
import { Folder, systemError, type FolderTree, type Place } from './folder-tree.js';
import { SimulatedFile, type Run, type Space } from './simulated-file.js';
import type { DiskOperation } from './disk-operation.js';

export class SimulatedView implements Disk {
  readonly #tree: FolderTree;
  readonly #space: Space;
  readonly #run: Run;

  constructor(tree: FolderTree, space: Space, run: Run) {
    this.#tree = tree;
    this.#space = space;
    this.#run = run;
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    return this.#do(
      'open',
      path,
      () => new SimulatedFile(this.#space, this.#run, path, this.#opened(path, mode), mode),
    );
  }

  async readText(path: string): Promise<string> {
    return this.#do('read', path, () => {
      const entry = this.#tree.entry('open', path);
      if (entry instanceof Folder) throw systemError('EISDIR', 'read', path);
      return entry.view().toString('utf8');
    });
  }

  async list(path: string): Promise<readonly string[]> {
    return this.#do('list', path, () => {
      const entry = this.#tree.entry('scandir', path);
      if (!(entry instanceof Folder)) throw systemError('ENOTDIR', 'scandir', path);
      return [...entry.seen.keys()];
    });
  }

  async kindOf(path: string): Promise<'folder' | 'file' | null> {
    return this.#do('read', path, () => {
      try {
        return this.#tree.entry('stat', path) instanceof Folder ? 'folder' : 'file';
      } catch {
        return null;
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#do('rename', from, () => {
      const source = this.#tree.place('rename', from);
      const target = this.#tree.place('rename', to);
      const { entry } = source;
      if (entry === null) throw systemError('ENOENT', 'rename', from);
      if (entry === target.entry) return;
      if (`${to}/`.startsWith(`${from}/`)) throw systemError('EINVAL', 'rename', from);
      this.#makeWay(entry, target, to);
      const { folder, name } = source;
      this.#tree.change({ folder, name, entry: null }, { folder: target.folder, name: target.name, entry });
    });
  }

  async makeFolder(path: string): Promise<void> {
    await this.#do('makeFolder', path, () => {
      const { folder, name, entry } = this.#tree.place('mkdir', path);
      if (entry !== null) throw systemError('EEXIST', 'mkdir', path);
      this.#tree.change({ folder, name, entry: new Folder() });
    });
  }

  async removeFile(path: string): Promise<boolean> {
    return this.#do('remove', path, () => {
      const place = this.#tree.place('unlink', path);
      if (place.entry === null) return false;
      if (place.entry instanceof Folder) throw systemError('EISDIR', 'unlink', path);
      this.#unlink(place);
      return true;
    });
  }

  async removeEmptyFolder(path: string): Promise<void> {
    await this.#do('remove', path, () => {
      const place = this.#tree.place('rmdir', path);
      if (place.entry === null) throw systemError('ENOENT', 'rmdir', path);
      if (!(place.entry instanceof Folder)) throw systemError('ENOTDIR', 'rmdir', path);
      if (place.entry.seen.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path);
      this.#unlink(place);
    });
  }

  /** Removes one name after the other, as the system does. */
  async removeAll(path: string): Promise<void> {
    const { entry } = await this.#do('read', path, () => this.#tree.place('lstat', path));
    if (entry === null) return;
    if (!(entry instanceof Folder)) {
      await this.removeFile(path);
      return;
    }
    for (const name of await this.list(path)) await this.removeAll(`${path}/${name}`);
    await this.removeEmptyFolder(path);
  }

  async syncFolder(path: string): Promise<void> {
    await this.#do('syncFolder', path, () => {
      const entry = this.#tree.entry('open', path);
      if (entry instanceof Folder) this.#tree.sync(entry);
      else entry.sync();
    });
  }

  async #do<T>(kind: DiskOperation, path: string, act: () => T): Promise<T> {
    return this.#run({ kind, path, act });
  }

  #opened(path: string, mode: OpenMode): FileContent | Folder {
    const { folder, name, entry } = this.#tree.place('open', path);
    if (entry !== null) {
      if (mode.endsWith('x')) throw systemError('EEXIST', 'open', path);
      if (entry instanceof Folder && mode !== 'r') throw systemError('EISDIR', 'open', path);
      if (entry instanceof FileContent && mode === 'w') {
        this.#space.room += entry.length;
        entry.cut(0);
      }
      return entry;
    }
    if (mode === 'r') throw systemError('ENOENT', 'open', path);
    const content = new FileContent();
    this.#tree.change({ folder, name, entry: content });
    return content;
  }

  /** @throws EISDIR, ENOTDIR, ENOTEMPTY if `entry` cannot replace what is there */
  #makeWay(entry: FileContent | Folder, { entry: old }: Place, path: string): void {
    if (old === null) return;
    if (old instanceof FileContent) {
      if (entry instanceof Folder) throw systemError('ENOTDIR', 'rename', path);
      this.#space.room += old.length;
      return;
    }
    if (entry instanceof FileContent) throw systemError('EISDIR', 'rename', path);
    if (old.seen.size > 0) throw systemError('ENOTEMPTY', 'rename', path);
  }

  #unlink({ folder, name, entry }: Place): void {
    if (entry instanceof FileContent) this.#space.room += entry.length;
    this.#tree.change({ folder, name, entry: null });
  }
}
