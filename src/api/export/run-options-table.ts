/** The options of a run that its model card lists. Pure. */
import { kebab } from '../../run/config/kebab-case.js';
import { OPTION_KEYS } from '../../run/config/option-name.js';
import { optionShape } from '../../run/config/option-shape.js';
import { optionMeta, type RunConfig } from '../../run/config/schema.js';

/** Options that change the weights and are not their defaults. Paths of the machine are left out. */
export function tellingOptions(config: RunConfig): (readonly [string, string])[] {
  return OPTION_KEYS.filter((key) => {
    const { identity, path } = optionMeta(key);
    return identity && !path && config[key] !== optionShape(key).defaultValue;
  }).map((key) => [kebab(key), String(config[key])] as const);
}
