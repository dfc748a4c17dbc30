/** What becomes of a command whose output cannot be written. */
import { coded, reasonOf } from '../errors/errors.js';
import { reportError } from './run-command.js';

/** Whoever reads the output has gone: `head` that has seen enough, a terminal that was closed. */
const NO_READER: readonly unknown[] = ['EPIPE', 'EIO'];

export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!NO_READER.includes(error.code)) {
      reportError(coded('OUTPUT_WRITE_FAILED', { reason: reasonOf(error) }));
    }
    process.exit(process.exitCode ?? 0);
  });
  // Nobody reads what is written there, or its disk is full: that ends nothing.
  process.stderr.on('error', () => undefined);
}
