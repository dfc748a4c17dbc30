/** A disk on which one operation fails as it does when no space is left. */
import { systemError } from '../src/simulation/folder-tree.js';
import { nodeDisk, type Disk, type DiskFile } from '../src/host/disk.js';

export interface FailingDisk {
  readonly disk: Disk;
  /** From now on the `nth` new kind of operation on a new path with `part` in it fails, once. */
  failAt(nth: number, part: string): void;
  /** Whether that has happened. */
  readonly failed: boolean;
}

/** @param after told that an operation was tried */
export function failingDisk(after: () => void): FailingDisk {
  const plan = { left: -1, part: '', seen: new Set<string>() };
  const tried = async <T>(path: string, kind: string, act: () => Promise<T>): Promise<T> => {
    const operation = `${kind} ${path}`;
    const counts = plan.left >= 0 && path.includes(plan.part) && !plan.seen.has(operation);
    plan.seen.add(operation);
    if (counts && plan.left-- === 0) throw systemError('ENOSPC', kind, path);
    try {
      return await act();
    } finally {
      after();
    }
  };
  const fileAt = (path: string, file: DiskFile): DiskFile => ({
    append: async (bytes) => tried(path, 'append', async () => file.append(bytes)),
    writeAt: async (bytes, position) => tried(path, 'writeAt', async () => file.writeAt(bytes, position)),
    readAt: async (into, position) => file.readAt(into, position),
    sync: async () => tried(path, 'sync', async () => file.sync()),
    datasync: async () => tried(path, 'datasync', async () => file.datasync()),
    truncate: async (bytes) => file.truncate(bytes),
    size: async () => file.size(),
    close: async () => file.close(),
  });
  const disk: Disk = {
    open: async (path, mode) =>
      tried(path, 'open', async () => fileAt(path, await nodeDisk.open(path, mode))),
    readText: async (path) => nodeDisk.readText(path),
    list: async (path) => nodeDisk.list(path),
    kindOf: async (path) => nodeDisk.kindOf(path),
    rename: async (from, to) => tried(to, 'rename', async () => nodeDisk.rename(from, to)),
    makeFolder: async (path) => tried(path, 'makeFolder', async () => nodeDisk.makeFolder(path)),
    removeFile: async (path) => nodeDisk.removeFile(path),
    removeEmptyFolder: async (path) => nodeDisk.removeEmptyFolder(path),
    removeAll: async (path) => nodeDisk.removeAll(path),
    syncFolder: async (path) => tried(path, 'syncFolder', async () => nodeDisk.syncFolder(path)),
  };
  return {
    disk,
    failAt: (nth, part) => Object.assign(plan, { left: nth, part, seen: new Set() }),
    get failed() {
      return plan.left < 0;
    },
  };
}
