/** Makes the one frozen configuration of a run from flags, a config file and a preset. */
import type { z } from 'zod';
import { coded } from '../../errors/errors.js';
import { canonicalModel, checkConfig, modeOfMetric } from './config-checks.js';
import { kebab } from './kebab-case.js';
import { OPTION_KEYS, nearestOption } from './option-name.js';
import { optionShape, valueOfText } from './option-shape.js';
import { canonicalChannels } from '../model/preprocessing.js';
import { presetConfig } from './presets.js';
import { requireSameRun } from './run-identity.js';
import { optionMeta, runConfigSchema, type RunConfig, type RunConfigKey } from './schema.js';

/** Options by their camelCase key; undefined counts as not given. Not yet validated. */
export type OptionValues = Readonly<Partial<Record<RunConfigKey, unknown>>>;

export interface ConfigSources {
  /** Values may be texts, as a command line gives them. */
  readonly flags?: OptionValues;
  readonly file?: { readonly preset: string | null; readonly values: OptionValues };
  /** The preset that a flag names. It replaces the file's preset. */
  readonly preset?: string | null;
  /** The options of the run that is resumed. They hold unless something else is given. */
  readonly stored?: StoredOptions | null;
  /** What the weights that a run starts from say about its model. Everything that is given replaces it. */
  readonly published?: OptionValues;
}

export interface StoredOptions {
  /** The run folder, for messages. */
  readonly path: string;
  readonly values: OptionValues;
}

export type FrozenRunConfig = Readonly<RunConfig>;

/** The text of a number or a list of numbers, which YAML files and programs may give for mean and std. */
function textOfChannels(key: RunConfigKey, value: unknown): unknown {
  if (key !== 'mean' && key !== 'std') return value;
  const numbers = Array.isArray(value) ? (value as readonly unknown[]) : [value];
  return numbers.every((number) => typeof number === 'number') ? numbers.join(',') : value;
}

function readLayer(values: OptionValues): Partial<Record<RunConfigKey, unknown>> {
  const layer: Partial<Record<RunConfigKey, unknown>> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const key = OPTION_KEYS.find((known) => known === name);
    if (key === undefined) {
      throw coded('CONFIG_UNKNOWN_KEY', { key: kebab(name), suggestion: nearestOption(name) });
    }
    layer[key] = typeof value === 'string' ? valueOfText(key, value) : textOfChannels(key, value);
  }
  return layer;
}

/**
 * Later layers win. `epochs` and `steps` are two ways to give the length, so a layer that gives only epochs
 * removes the steps of the layers below it. A layer that gives other weights to start from removes what was noted of those
 * below it.
 */
function mergeLayers(layers: readonly OptionValues[]): OptionValues {
  let merged: OptionValues = {};
  for (const values of layers) {
    const layer = readLayer(values);
    const length = layer.epochs !== undefined && layer.steps === undefined ? { steps: null } : {};
    const others = layer.initFrom !== undefined && layer.initFrom !== merged.initFrom;
    const noted = others ? { initDigest: null, initCommit: null } : {};
    merged = { ...merged, ...length, ...noted, ...layer };
  }
  return merged;
}

const PROBLEMS: Readonly<Partial<Record<z.core.$ZodIssue['code'], string>>> = {
  invalid_type: 'of the wrong type',
  invalid_value: 'not one of the choices',
  too_small: 'too small',
  too_big: 'too big',
};

function issueError(issue: z.core.$ZodIssue, merged: OptionValues) {
  const key = issue.path[0] as RunConfigKey;
  const { expected } = optionShape(key);
  const value = merged[key];
  if (value === undefined)
    return coded('CONFIG_MISSING', { key: kebab(key), expected: optionMeta(key).help });
  const problem = value === '' ? 'empty' : (PROBLEMS[issue.code] ?? issue.message);
  return coded('CONFIG_INVALID_VALUE', { key: kebab(key), value: JSON.stringify(value), problem, expected });
}

/** Validates each option by itself; `checkConfig` then checks whether they go together. */
function typedConfig(merged: OptionValues): RunConfig {
  const parsed = runConfigSchema.safeParse(merged);
  if (!parsed.success) throw issueError(parsed.error.issues[0]!, merged);
  const config = parsed.data;
  if (merged.earlyStopMode === undefined) config.earlyStopMode = modeOfMetric(config.earlyStopMetric);
  config.model = canonicalModel(config);
  config.mean = canonicalChannels(config.mean);
  config.std = canonicalChannels(config.std);
  return config;
}

/**
 * The configuration of a run, validated and frozen: defaults < published weights < preset < file < flags. If a run is resumed, its stored
 * options come below all that are given.
 * If nothing gives `earlyStopMode`, it follows from the metric.
 * @throws CONFIG_*, MODEL_*, BATCH_NOT_DIVISIBLE, TOO_MANY_WORKERS, each naming the option in kebab-case;
 *     RUN_LENGTH_CHANGED, RUN_CONFIG_CHANGED if a resumed run is given an option that would change its weights
 */
export function resolveConfig({
  flags = {},
  file,
  preset = null,
  stored = null,
  published = {},
}: ConfigSources): FrozenRunConfig {
  const presetName = preset ?? file?.preset ?? null;
  const base = presetName === null ? {} : presetConfig(presetName);
  const config = typedConfig(mergeLayers([published, stored?.values ?? {}, base, file?.values ?? {}, flags]));
  if (stored !== null) {
    // This check comes before that of the options together: "you changed X" says more than "X and Y do not go
    // together".
    requireSameRun(stored.path, typedConfig(mergeLayers([stored.values])), config);
  }
  checkConfig(config);
  return Object.freeze(config);
}
