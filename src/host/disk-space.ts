/** A full disk is no reason to lose a run: writes that cannot be done without wait until there is space. */
import type { Clock } from './clock.js';

/** A person has to make room: as long as workers wait for a coordinator by default. */
const LONGEST_WAIT_MS = 600_000;
const AGAIN_MS = 500;

const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** Whether something was thrown because a disk or a quota is full; a coded error is asked for its cause. */
export function isDiskFull(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  return ('code' in thrown && FULL.includes(thrown.code)) || isDiskFull(thrown.cause);
}

export interface DiskWait {
  readonly clock: Clock;
  /** Told once a wait what is waited for. */
  readonly onFull: (path: string) => void;
  /** True ends a wait. */
  readonly interrupted: () => boolean;
  /** @throws where nothing may be written any more, because the folder belongs to another by now */
  readonly check: () => Promise<void>;
}

/**
 * Does `work`, which is to write `path` and to leave nothing half-written where it fails, until the disk has room for it.
 * @throws what `check` throws; what `work` throws for other reasons, when interrupted, or after ten minutes
 */
export async function whenThereIsSpace<T>(
  path: string,
  work: () => Promise<T>,
  { clock, onFull, interrupted, check }: DiskWait,
): Promise<T> {
  const startMs = clock.now();
  for (let told = false; ; told = true) {
    await check();
    try {
      return await work();
    } catch (error) {
      // What it was writing may have been cleared away by the new owner.
      await check();
      if (!isDiskFull(error) || interrupted() || clock.now() - startMs > LONGEST_WAIT_MS) throw error;
      if (!told) onFull(path);
      await clock.delay(AGAIN_MS);
    }
  }
}
