/** The command line's program: one command with its options, or the list of all. */
import { Command } from 'commander';
import { COMMANDS } from './command-list.js';
import { expandPathsOf } from './path-arguments.js';
import { suggestNamesOf } from './suggestions.js';
import { VERSION } from '../host/version.js';

/** Lists all commands, none of which is loaded: what they need takes a second. */
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
 * @param words of the command line: the command that they name is there with its options, or else (a flag, a typing
 *   error, nothing) all are there by their names
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
