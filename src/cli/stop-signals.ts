/** Ctrl-C and SIGTERM: the first asks for a clean stop, the second ends at once. */

export interface StopSignals {
  /** Why to stop, or null. */
  readonly reason: () => string | null;
  release(): void;
}

/**
 * @param onFirst told of the first signal
 * @param onSecond ends everything; it should not return
 */
export function listenForStop(onFirst: (signal: string) => void, onSecond: () => void): StopSignals {
  let reason: string | null = null;
  const handle = (signal: NodeJS.Signals): void => {
    if (reason !== null) {
      onSecond();
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
