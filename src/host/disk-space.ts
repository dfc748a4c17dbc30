/** Lets writes that a run needs wait while the disk is full, so that a full disk does not end the run. */
import type { Clock } from './clock.js';

/** Time for a person to make room; workers wait as long for a coordinator by default. */
const LONGEST_WAIT_MS = 600_000;
const AGAIN_MS = 500;

const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** Whether the reason for an error is a full disk or quota. Looks at the causes of an error as well. */
export function isDiskFull(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  return ('code' in thrown && FULL.includes(thrown.code)) || isDiskFull(thrown.cause);
}

export interface DiskWait {
  readonly clock: Clock;
  /** Called once for each wait, with the reason. */
  readonly onFull: (path: string) => void;
  /** True ends the wait. */
  readonly interrupted: () => boolean;
  /** @throws if nothing may be written any more, because another coordinator owns the folder by now */
  readonly check: () => Promise<void>;
}

/**
 * Repeats `work` until the disk has room for it. `work` writes `path`, and must leave nothing half-written if it fails.
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
      // The new owner may have removed what `work` was writing.
      await check();
      if (!isDiskFull(error) || interrupted() || clock.now() - startMs > LONGEST_WAIT_MS) throw error;
      if (!told) onFull(path);
      await clock.delay(AGAIN_MS);
    }
  }
}
