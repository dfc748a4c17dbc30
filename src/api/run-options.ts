/** Makes the config of a run from the options that a program or a command line gives. */
import { homedir } from 'node:os';
import { readConfigFile } from '../run/config/config-file.js';
import { resolveConfig, type FrozenRunConfig, type OptionValues } from '../run/config/config.js';
import { expandPaths } from '../run/config/expanded-paths.js';
import type { RunConfig, RunConfigKey } from '../run/config/schema.js';
import { requireDataOf, resumption, storedOptions, withAbsoluteInitFrom } from './resumed-run.js';
import { coded } from '../errors/errors.js';
import { nodeDisk } from '../host/disk.js';
import { notedOptions, publishedOptions } from '../run/folder/published-options.js';
import { headsOfModel } from '../run/model/model-spec.js';
import { weightSource } from './weight-source.js';

/** Options that are not stored with a run. */
interface RunSources {
  /**
   * Continue the run in this folder, or with `true` the one in `out`. Options that are not given stay as they
   * were.
   */
  readonly resume?: boolean | string;
  /** A YAML file with options. Options that are given here replace those of the file. */
  readonly config?: string;
  /** Options of a published run, for example `table3-imagenet1k`. */
  readonly preset?: string;
}

/**
 * Options of a run by their camelCase names; `vitrail train --help` lists them with units and defaults.
 * `data` has to come from here, from `config` or from the run that is resumed.
 */
export interface RunOptions extends Readonly<Partial<Omit<RunConfig, 'microBatch' | 'resume'>>>, RunSources {
  /** Images in a micro-batch; `auto` for as many as fit the GPU of this machine. */
  readonly microBatch?: number | 'auto';
}

/** The same before the values are checked. Values may be texts, as a command line gives them. */
export type UncheckedOptions = OptionValues & Pick<RunSources, 'config' | 'preset'>;

/** Whether `key` was given: as an option, in the file, or by the run that is resumed. */
export async function isOptionGiven(key: RunConfigKey, given: UncheckedOptions): Promise<boolean> {
  const file = given.config === undefined ? {} : (await readConfigFile(given.config)).values;
  if (given[key] !== undefined || file[key] !== undefined) return true;
  const resumed = resumption(given, file);
  return resumed !== null && (await storedOptions(resumed)) !== null;
}

/**
 * What the weights that a run starts from say about its model. The heads may come from the model's name. A run that has
 * begun has it in its folder, so it does not matter what became of the weights.
 */
async function publishedModel(given: OptionValues, file: OptionValues): Promise<OptionValues> {
  const source = await weightSource(given, file);
  if (source === null) return {};
  const { from, commit, run } = source;
  if (run !== null) return notedOptions(run.values);
  const model = given.model ?? file.model;
  const heads = typeof model === 'string' ? headsOfModel(model) : null;
  return publishedOptions(nodeDisk, { from, commit, heads });
}

/**
 * The config of a run from options, file and preset, and from the run folder if a run is resumed.
 * @throws CONFIG_*, BATCH_NOT_DIVISIBLE, MODEL_*, TOO_MANY_WORKERS, RUN_NOT_FOUND, RUN_CONFIG_CHANGED, RUN_DATA_MISSING,
 *     WEIGHTS_*
 */
export async function resolveRunOptions(options: UncheckedOptions): Promise<FrozenRunConfig> {
  const { config: path, preset = null, ...values } = options;
  const home = homedir();
  const given = expandPaths<OptionValues>(values, home);
  const read = path === undefined ? { preset: null, values: {} } : await readConfigFile(path);
  const file = { preset: read.preset, values: expandPaths(read.values, home) };
  const resumed = resumption(given, file.values);
  if (resumed === null) {
    const published = await publishedModel(given, file.values);
    return resolveConfig({ flags: given, file, preset, published });
  }
  const stored = await storedOptions(resumed);
  if (stored === null && (given.data ?? file.values.data) === undefined) {
    throw coded('RUN_NOT_FOUND', { path: resumed });
  }
  const config = resolveConfig({
    flags: { ...withAbsoluteInitFrom(given), out: resumed, resume: true },
    file: { preset: file.preset, values: withAbsoluteInitFrom(file.values) },
    preset,
    stored,
  });
  if (stored !== null && config.data === stored.values.data) requireDataOf(stored.path, config.data);
  return config;
}
