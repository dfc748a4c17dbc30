/** The only file that imports pino. Lines are JSON and written at once, so that a crash loses none. */
import { destination, pino, type Logger as PinoLogger } from 'pino';

export type Logger = Pick<PinoLogger, 'debug' | 'info' | 'warn' | 'error'>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const MOST_WAITING_BYTES = 2 ** 20;

/**
 * @param name put into every line, for example `worker`
 * @param write called with every line that is logged, line feed included
 */
export function createLogger(name: string, level: LogLevel, write: (line: string) => void): Logger {
  return pino({ name, level, timestamp: () => `,"time":"${new Date().toISOString()}"` }, { write });
}

/**
 * Writes lines to stderr. On a full disk some lines wait and further ones are dropped, because a log must not
 * end a run.
 */
export function stderrLines(): (line: string) => void {
  const stderr = destination({ dest: 2, sync: true, maxLength: MOST_WAITING_BYTES });
  stderr.on('error', () => undefined);
  return (line) => void stderr.write(line);
}
