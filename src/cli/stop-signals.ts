/** Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends at once. */

export interface StopSignals {
  /** Why to stop, or null. */
  readonly reason: () => string | null;
  release(): void;
}

/**
 * Ends this process at once, as if it had never listened for `signal`. (process.exit() would abort where a thread waits
 * for a message of ZeroMQ.)
 */
export function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * @param onFirst told of the first signal
 * @param onSecond told of the second, which ends this process
 */
export function listenForStop(onFirst: (signal: string) => void, onSecond: () => void): StopSignals {
  let reason: string | null = null;
  const handle = (signal: NodeJS.Signals): void => {
    if (reason !== null) {
      onSecond();
      endBy(signal);
      return;
    }
    reason = `stopped by ${signal}`;
    onFirst(signal);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return {
    reason: () => reason,
    release: () => {
      process.off('SIGINT', handle);
      process.off('SIGTERM', handle);
    },
  };
}
