/** A small disk below a run folder, and a run that waits for room on it. */
import type { TestContext } from 'node:test';
import { fillDisk, mountSmallDisk } from '../small-disk.js';
import type { CliRun } from './cli-run.js';
import type { ElasticRuns } from './elastic-runs.js';

const DISK_BYTES = 24 * 2 ** 20;

/** A small file system at the place of a run folder. */
export function runDisk(t: TestContext, runs: ElasticRuns, name: string): string | null {
  return mountSmallDisk(t, runs.runDir(name), DISK_BYTES);
}

/** Fills a disk, also again with what a checkpoint that could not be finished has given back. */
export async function journalWaits(run: CliRun, disk: string): Promise<void> {
  const timer = setInterval(() => fillDisk(disk, 0), 50);
  try {
    await run.seen(new RegExp(`no space left to write ${disk}/journal: waiting`));
  } finally {
    clearInterval(timer);
  }
}
