/**
 * "Did you mean" for flags and commands, as for YAML keys: for misspelt names, and names that other tools
 * use.
 */
import type { Command } from 'commander';
import { kebab } from '../run/config/kebab-case.js';
import { optionOfOtherName } from '../run/config/other-names.js';
import { editDistance, nearestName } from '../errors/name-distance.js';

const UNKNOWN = /unknown (option|command) '([^']+)'/;
const FROM_VALUE_ON = /=.*$/s;

/** Whether `given` may be a misspelt `name`: at most 40 % of its letters differ, or two. */
function isNear(given: string, name: string): boolean {
  return editDistance(given, name) <= Math.max(2, Math.floor(name.length * 0.4));
}

/**
 * The flag or command that was probably meant by an unknown word; null if nothing is similar.
 * @param message commander's own
 * @param flags of the command it was given to, without dashes
 * @param commands below that command
 */
export function suggestion(
  message: string,
  flags: readonly string[],
  commands: readonly string[],
): string | null {
  const [, kind, given = ''] = UNKNOWN.exec(message) ?? [];
  if (kind === undefined) return null;
  const name = given.replace(FROM_VALUE_ON, '').replace(/^-+/, '').replaceAll('_', '-').toLowerCase();
  if (kind === 'command') {
    const near = nearestName(name, commands);
    return isNear(name, near) ? near : null;
  }
  const other = optionOfOtherName(name);
  if (other !== undefined && flags.includes(kebab(other))) return `--${kebab(other)}`;
  const near = nearestName(name, flags);
  return isNear(name, near) ? `--${near}` : null;
}

/** Replaces commander's own suggestions, in a command and all its subcommands. */
export function suggestNamesOf(command: Command): void {
  command.showSuggestionAfterError(false).configureOutput({
    outputError: (text, write) => {
      const flags = command.options.flatMap(({ long }) => long?.slice(2) ?? []);
      const meant = suggestion(
        text,
        flags,
        command.commands.map((child) => child.name()),
      );
      write(meant === null ? text : `${text.trimEnd()}; did you mean ${meant}?\n`);
    },
  });
  for (const child of command.commands) suggestNamesOf(child);
}
