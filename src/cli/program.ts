/** Builds the program for commander: one command with its options, or the list of all. */
import { Command } from 'commander';
import { COMMANDS } from './command-list.js';
import { expandPathsOf } from './path-arguments.js';
import { suggestNamesOf } from './suggestions.js';
import { VERSION } from '../host/version.js';

/** Lists all commands without loading them, because their modules take a second. */
function listCommands(program: Command): void {
  const terms = new Map<string, string>();
  for (const { name, usage, description } of COMMANDS) {
    program.command(name).description(description);
    terms.set(name, `${name} ${usage}`.trim());
  }
  program.configureHelp({ subcommandTerm: (command) => terms.get(command.name()) ?? 'help [command]' });
}

/**
 * Nothing runs before `parseAsync`.
 * @param words the words of the command line. If they name a command, only that is loaded, with its options. Otherwise (a
 *   flag, a misspelt name, nothing) all are listed by name
 */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('vitrail')
    .description(
      'distributed training of Vision Transformers: the same weights bit for bit on any number of workers',
    )
    .version(VERSION)
    .showHelpAfterError('(--help lists the options)');

  const wanted = words[0] === 'help' ? words[1] : words[0];
  const one = COMMANDS.find(({ name }) => name === wanted);
  if (one === undefined) listCommands(program);
  else (await one.load())(program);
  expandPathsOf(program);
  suggestNamesOf(program);
  return program;
}
