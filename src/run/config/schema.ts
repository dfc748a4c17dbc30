/** The schema of a run's options. Flags, YAML keys, defaults, units and help all come from here. */
import { z } from 'zod';
import { clusterOptions } from './cluster-options.js';
import { dataOptions } from './data-options.js';
import { modelOptions } from './model-options.js';
import { metaOf, type OptionMeta } from './option-kinds.js';
import { trainingOptions } from './training-options.js';

/** In the order in which help texts and files list them. */
export const runConfigSchema = z.strictObject({
  ...dataOptions,
  ...modelOptions,
  ...trainingOptions,
  ...clusterOptions,
});

export type RunConfig = z.infer<typeof runConfigSchema>;
export type RunConfigKey = keyof RunConfig;

/** The metadata of an option. */
export function optionMeta(key: RunConfigKey): OptionMeta {
  const meta = metaOf(runConfigSchema.shape[key]);
  if (meta === undefined) throw new Error(`option ${key} has no metadata`);
  return meta;
}
