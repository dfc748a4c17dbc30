/** Identifies the place in which pids are unique, and tells whether a process of this place still runs. */
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * The boot of this operating system and the pid namespace. A host name would not do: two machines may have
 * the same, and two containers on one machine each have a process 1. Empty if the system does not tell.
 */
export function processPlace(): string {
  try {
    // A /proc that belongs to another namespace shows other pids.
    if (readlinkSync('/proc/self') !== String(process.pid)) return '';
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/**
 * Field 22 of /proc/PID/stat, or empty. The name in field 2 may contain anything, so fields are counted from
 * its last bracket.
 */
export function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** @returns whether the process with this identity runs here; `unknown` if that cannot be told */
export function processState(
  noted: { readonly pid: number; readonly place: string; readonly startedAt: string },
  here: string,
): 'runs' | 'gone' | 'unknown' {
  if (here === '' || noted.place !== here || noted.startedAt === '') return 'unknown';
  return processStart(noted.pid) === noted.startedAt ? 'runs' : 'gone';
}
