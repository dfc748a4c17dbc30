/** Names of options: camelCase in code, kebab-case in flags, YAML and messages. */
import { nearestName } from '../../errors/name-distance.js';
import { kebab } from './kebab-case.js';
import { optionOfOtherName } from './other-names.js';
import { runConfigSchema, type RunConfigKey } from './schema.js';

/** All options, in the order of the schema. */
export const OPTION_KEYS = Object.keys(runConfigSchema.shape) as readonly RunConfigKey[];

const BY_KEBAB: ReadonlyMap<string, RunConfigKey> = new Map(OPTION_KEYS.map((key) => [kebab(key), key]));

/** The option called `name` in flags and YAML. */
export function optionOfKebab(name: string): RunConfigKey | undefined {
  return BY_KEBAB.get(name);
}

/** The option that was probably meant by an unknown name, ours or another tool's, in kebab-case. */
export function nearestOption(given: string): string {
  const name = kebab(given.replaceAll('_', '-')).toLowerCase().replace(/^-+/, '');
  const other = optionOfOtherName(name);
  return other === undefined ? nearestName(name, [...BY_KEBAB.keys()]) : kebab(other);
}
