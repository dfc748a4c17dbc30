/** Runs a command and turns its errors into exit codes; errors the user can act on print without a stack. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { coded, codedError, reasonOf, type VitrailError } from '../errors/errors.js';
import { exhaustionOf } from '../errors/exhaustion.js';

/** An error in one line, without its remedy. */
export function errorText({ code, problem }: VitrailError): string {
  return `${pc.red('error')} ${pc.bold(code)}: ${problem}`;
}

/** The folder of the package that Node cannot find. */
const MISSING_PACKAGE =
  /^Cannot find (?:package|module) '(.+[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\']+)/;

/**
 * Without a free file descriptor Node cannot read a package's package.json, and says that there is no such package.
 * @returns null if the package is really missing, or the error is another
 */
function unreadPackage(error: unknown): VitrailError | null {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) return null;
  const [, folder] = MISSING_PACKAGE.exec(error.message) ?? [];
  if (folder === undefined || !existsSync(join(folder, 'package.json'))) return null;
  return coded('OPEN_FILES_EXHAUSTED', {
    reason: `${folder} is there and could not be read, as after EMFILE`,
  });
}

/** Shows an error and sets the exit code: 1 for a coded error, 70 (EX_SOFTWARE) for a defect of vitrail itself. */
export function reportError(error: unknown): void {
  const known = unreadPackage(error) ?? codedError(error);
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
