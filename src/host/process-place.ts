/** Where a process number means one process, and whether that still runs. */
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * The boot of this kernel and the namespace of process numbers within it: names of machines need not differ, and two
 * containers on one machine have a process 1 each. Empty where the system does not tell.
 */
export function processPlace(): string {
  try {
    // A /proc of another namespace has other numbers.
    if (readlinkSync('/proc/self') !== String(process.pid)) return '';
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** Field 22 of /proc/PID/stat, empty for none; the name in field 2 may hold anything, so count from its last bracket. */
export function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** @returns whether the process that was noted with these runs here, `unknown` where that cannot be told */
export function processState(
  noted: { readonly pid: number; readonly place: string; readonly startedAt: string },
  here: string,
): 'runs' | 'gone' | 'unknown' {
  if (here === '' || noted.place !== here || noted.startedAt === '') return 'unknown';
  return processStart(noted.pid) === noted.startedAt ? 'runs' : 'gone';
}
