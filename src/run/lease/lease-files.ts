/**
 * The lease files of a run folder, `coordinator-N.lock`. The process that creates the file with the next
 * number owns the folder; if several try, only one can create it. The new owner removes the files with lower
 * numbers, and their owners learn from this that they have lost the folder.
 */
import { join } from 'node:path';
import { hasCode } from '../../errors/errors.js';
import type { Disk, DiskFile } from '../../host/disk.js';
import type { Host } from '../../host/host.js';
import { leaseSchema, type Lease, type SeenLease } from './lease-verdict.js';

const NAME = /^coordinator-(\d{1,9})\.lock$/;

export function leasePath(runDir: string, number: number): string {
  return join(runDir, `coordinator-${number}.lock`);
}

/** The text of a lease file; null if there is none, or none any more. */
export async function leaseText(disk: Disk, runDir: string, number: number): Promise<string | null> {
  try {
    return await disk.readText(leasePath(runDir, number));
  } catch (error) {
    // Over NFS, reading a file that another machine has removed fails with ESTALE.
    if (hasCode(error, 'ENOENT', 'ESTALE')) return null;
    throw error;
  }
}

export function parsedLease(text: string): Lease | null {
  try {
    const parsed = leaseSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** All lease files, the oldest first. */
export async function seenLeases(
  { disk, process }: Pick<Host, 'disk' | 'process'>,
  runDir: string,
): Promise<readonly SeenLease[]> {
  const names = await disk.list(runDir);
  const numbers = names.flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number);
  const seen: SeenLease[] = [];
  for (const number of numbers.sort((a, b) => a - b)) {
    const text = await leaseText(disk, runDir, number);
    if (text === null) continue;
    const lease = parsedLease(text);
    const owner = lease === null ? 'an unknown process' : `process ${lease.pid} on ${lease.host}`;
    seen.push({ number, text, owner, process: lease === null ? 'unknown' : process.stateOf(lease) });
  }
  return seen;
}

/** @returns the new file; null if another process was faster */
export async function createLease(disk: Disk, runDir: string, number: number): Promise<DiskFile | null> {
  try {
    return await disk.open(leasePath(runDir, number), 'wx');
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return null;
    throw error;
  }
}

export async function removeLease(disk: Disk, runDir: string, number: number): Promise<void> {
  await disk.removeFile(leasePath(runDir, number));
}
