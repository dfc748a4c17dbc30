/** Makes every file and folder on the command line mean what a shell makes of it: `~/x` lies in the home folder. */
import { homedir } from 'node:os';
import type { Argument, Command, Option } from 'commander';
import { expandHome } from '../run/config/home-path.js';

/** A flag with one of these placeholders is a path; an argument, where it has one of these names. */
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

/** Of a command and all commands below it. */
export function expandPathsOf(command: Command): void {
  for (const option of command.options) if (isPath(option)) option.argParser(expanded);
  for (const argument of command.registeredArguments) expandArgument(argument);
  for (const child of command.commands) expandPathsOf(child);
}
