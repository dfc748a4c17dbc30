#!/usr/bin/env node
/** The command line. */
import { createProgram } from './cli/program.js';
import { runCommand } from './cli/run-command.js';

// A reader that has seen enough, `head` for one, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Nobody reads what is written there, or its disk is full: that ends nothing.
process.stderr.on('error', () => undefined);

await runCommand(async () => {
  await createProgram().parseAsync();
});
