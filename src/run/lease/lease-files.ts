/**
 * The lease files of a run folder, `coordinator-N.lock`. Who makes the next number has the folder: of several that try,
 * one does. The numbers before it are removed by the new owner, and that is how their owners learn of it.
 */
import { readdirSync, readFileSync, unlinkSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../errors/errors.js';
import { leaseSchema, type Lease, type SeenLease } from './lease-verdict.js';
import { processState } from '../../host/process-place.js';

const NAME = /^coordinator-(\d{1,9})\.lock$/;

export function leasePath(runDir: string, number: number): string {
  return join(runDir, `coordinator-${number}.lock`);
}

/** The text of a lease file, null where there is none (any more). */
export function leaseText(runDir: string, number: number): string | null {
  try {
    return readFileSync(leasePath(runDir, number), 'utf8');
  } catch (error) {
    // Over NFS a file that another machine has removed is stale.
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

/** Every lease file that is there, the oldest first. */
export function seenLeases(runDir: string, here: string): readonly SeenLease[] {
  const numbers = readdirSync(runDir).flatMap((name) => NAME.exec(name)?.[1] ?? []);
  return numbers
    .map(Number)
    .sort((a, b) => a - b)
    .flatMap((number) => {
      const text = leaseText(runDir, number);
      if (text === null) return [];
      const lease = parsedLease(text);
      const owner = lease === null ? 'an unknown process' : `process ${lease.pid} on ${lease.host}`;
      return { number, text, owner, process: lease === null ? 'unknown' : processState(lease, here) };
    });
}

/** @returns the new file, null where another was faster */
export async function createLease(runDir: string, number: number): Promise<FileHandle | null> {
  try {
    return await open(leasePath(runDir, number), 'wx');
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return null;
    throw error;
  }
}

export function removeLease(runDir: string, number: number): void {
  try {
    unlinkSync(leasePath(runDir, number));
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
