#!/usr/bin/env node
/**
 * The command line. Signals and errors are handled first, because loading the commands takes a second, and
 * many files.
 */
import { reportUncaught, runCommand } from './cli/run-command.js';
import { beginSignals } from './cli/stop-signals.js';

beginSignals();
reportUncaught();
await runCommand(async () => {
  const { watchOutput } = await import('./cli/output-errors.js');
  watchOutput();
  const { createProgram } = await import('./cli/program.js');
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync();
});
