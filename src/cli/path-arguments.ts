/**
 * Expands `~` in all files and folders on the command line, so that `--out=~/x` means the same as
 * `--out ~/x`.
 */
import { homedir } from 'node:os';
import type { Argument, Command, Option } from 'commander';
import { expandHome } from '../run/config/home-path.js';

/** A flag with one of these placeholders is a path, and so is an argument with one of these names. */
const PATH_FLAG = /[<[](?:file|folder|path)[>\]]/;
const PATH_ARGUMENT: ReadonlySet<string> = new Set(['file', 'folder', 'checkpoint', 'image', 'run']);

function expanded(text: string): string {
  return expandHome(text, homedir());
}

function isPath(option: Option): boolean {
  return PATH_FLAG.test(option.flags);
}

function expandArgument(argument: Argument): void {
  if (!PATH_ARGUMENT.has(argument.name())) return;
  argument.argParser<unknown>((text, before) =>
    argument.variadic
      ? [...(Array.isArray(before) ? (before as string[]) : []), expanded(text)]
      : expanded(text),
  );
}

/** Does so for a command and all its subcommands. */
export function expandPathsOf(command: Command): void {
  for (const option of command.options) if (isPath(option)) option.argParser(expanded);
  for (const argument of command.registeredArguments) expandArgument(argument);
  for (const child of command.commands) expandPathsOf(child);
}
