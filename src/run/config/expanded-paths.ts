/** Expands `~` in those options of a run that are paths. */
import { expandHome } from './home-path.js';
import { OPTION_KEYS } from './option-name.js';
import { optionMeta, type RunConfigKey } from './schema.js';

/** `values` with the home folder in place of `~` in every option that is a path. @throws PATH_OF_HOME */
export function expandPaths<V extends Readonly<Partial<Record<RunConfigKey, unknown>>>>(
  values: V,
  home: string,
): V {
  const paths = OPTION_KEYS.filter((key) => optionMeta(key).path && typeof values[key] === 'string');
  const expanded = paths.map((key) => [key, expandHome(values[key] as string, home)] as const);
  return { ...values, ...Object.fromEntries(expanded) };
}
