/** Decides what happens to a command whose output cannot be written. */
import { coded, reasonOf } from '../errors/errors.js';
import { reportError } from './run-command.js';

/** The reader of the output is gone: `head` has seen enough, or a terminal was closed. */
const NO_READER: readonly unknown[] = ['EPIPE', 'EIO'];

export function watchOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!NO_READER.includes(error.code)) {
      reportError(coded('OUTPUT_WRITE_FAILED', { reason: reasonOf(error) }));
    }
    process.exit(process.exitCode ?? 0);
  });
  // If nobody reads stderr, or its disk is full, the command goes on.
  process.stderr.on('error', () => undefined);
}
