/** Runs a command and turns its errors into exit codes; errors the user can act on print without a stack. */
import pc from 'picocolors';
import { coded, codedError, reasonOf, type VitrailError } from '../errors/errors.js';
import { exhaustionOf } from '../errors/exhaustion.js';

/** An error in one line, without its remedy. */
export function errorText({ code, problem }: VitrailError): string {
  return `${pc.red('error')} ${pc.bold(code)}: ${problem}`;
}

/** Shows an error and sets the exit code: 1 for a coded error, 70 (EX_SOFTWARE) for a defect of vitrail itself. */
export function reportError(error: unknown): void {
  const known = codedError(error);
  if (known !== null) {
    process.stderr.write(`${errorText(known)}\n      ${remedyOf(known)}\n`);
    process.exitCode = 1;
    return;
  }
  process.stderr.write(
    `${pc.red('internal error')}: ${error instanceof Error ? error.stack : reasonOf(error)}\n`,
  );
  process.exitCode = 70;
}

/** If an operation failed because a resource ran out, the remedy is the one for that resource. */
function remedyOf(error: VitrailError): string {
  const exhausted = exhaustionOf(error);
  return exhausted === null ? error.remedy : coded(exhausted, { reason: '' }).remedy;
}

/** An error that nothing has caught ends the process in the same way as an error of its command. */
export function reportUncaught(): void {
  const end = (error: unknown): void => {
    reportError(error);
    process.exit();
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

export async function runCommand(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    reportError(error);
  }
}
