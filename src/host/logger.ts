/** The door to pino: JSON lines on stderr, written at once, so that a crash loses none. */
import { destination, pino, type Logger as PinoLogger } from 'pino';

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const MOST_WAITING_BYTES = 2 ** 20;

/**
 * @param name put into every line, for example `worker`
 * @param onLine given every line that is logged
 */
export function createLogger(name: string, level: LogLevel, onLine?: (line: string) => void): Logger {
  const options = { name, level, timestamp: () => `,"time":"${new Date().toISOString()}"` };
  const stderr = destination({ dest: 2, sync: true, maxLength: MOST_WAITING_BYTES });
  // On a full disk lines wait, and beyond that are left out: a log does not end a run.
  stderr.on('error', () => undefined);
  if (onLine === undefined) return pino(options, stderr);
  return pino(options, {
    write: (line: string) => {
      stderr.write(line);
      onLine(line.trimEnd());
    },
  });
}
