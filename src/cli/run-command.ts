/** Runs a command's action: coded errors become one clear message and an exit code, never a stack. */
import pc from 'picocolors';
import { reasonOf, VitrailError } from '../shared/errors.js';

/** Shows an error and sets the exit code: 1 for a coded error, 70 (EX_SOFTWARE) for a defect of vitrail itself. */
export function reportError(error: unknown): void {
  if (error instanceof VitrailError) {
    process.stderr.write(
      `${pc.red('error')} ${pc.bold(error.code)}: ${error.problem}\n      ${error.remedy}\n`,
    );
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
