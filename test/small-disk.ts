/** A small file system of its own for a test, that can be filled and emptied. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const BALLAST = 'ballast';
const PIECE_BYTES = 2 ** 16;

function tried(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Mounts one at `path`, a folder that it makes; null, and the test skipped, where that cannot be done. */
export function mountSmallDisk(t: TestContext, path: string, bytes: number): string | null {
  mkdirSync(path, { recursive: true });
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !tried('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path)) {
    t.skip('it needs root, and a machine that mounts tmpfs');
    return null;
  }
  t.after(() => tried('umount', '-l', path));
  return path;
}

/** Fills a disk but for `leave` bytes. */
export function fillDisk(disk: string, leave: number): void {
  const file = openSync(join(disk, BALLAST), 'a');
  try {
    for (;;) {
      const { bavail, bsize } = statfsSync(disk);
      const bytes = Math.min(PIECE_BYTES, bavail * bsize - leave);
      if (bytes <= 0) return;
      writeSync(file, Buffer.alloc(bytes));
    }
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'ENOSPC');
  } finally {
    closeSync(file);
  }
}

export function makeRoom(disk: string): void {
  rmSync(join(disk, BALLAST));
}
