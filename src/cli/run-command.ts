/** Runs a command and turns its errors into exit codes; errors the user can act on print without a stack. */
import pc from 'picocolors';
import { reasonOf, VitrailError } from '../shared/errors.js';

/** What happened, in one line, without what to do about it. */
export function errorText({ code, problem }: VitrailError): string {
  return `${pc.red('error')} ${pc.bold(code)}: ${problem}`;
}

/** Shows an error and sets the exit code: 1 for a coded error, 70 (EX_SOFTWARE) for a defect of vitrail itself. */
export function reportError(error: unknown): void {
  if (error instanceof VitrailError) {
    process.stderr.write(`${errorText(error)}\n      ${error.remedy}\n`);
    process.exitCode = 1;
    return;
  }
  process.stderr.write(
    `${pc.red('internal error')}: ${error instanceof Error ? error.stack : reasonOf(error)}\n`,
  );
  process.exitCode = 70;
}

export async function runCommand(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    reportError(error);
  }
}
