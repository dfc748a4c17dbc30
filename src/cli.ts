#!/usr/bin/env node
/** The command line. Signals come first: loading all that the commands need takes a second. */
import { beginSignals } from './cli/stop-signals.js';

beginSignals();
const { watchOutput } = await import('./cli/output-errors.js');
const { createProgram } = await import('./cli/program.js');
const { runCommand } = await import('./cli/run-command.js');

watchOutput();
await runCommand(async () => {
  const program = await createProgram(process.argv[2]);
  await program.parseAsync();
});
