/** Command-line flags made from the schema of a run's options. */
import { homedir } from 'node:os';
import { Option, type Command } from 'commander';
import { readConfigFile } from '../run/config/config-file.js';
import { resolveConfig, type OptionValues } from '../run/config/config.js';
import { expandPaths } from '../run/config/home-path.js';
import { kebab } from '../run/config/kebab-case.js';
import { OPTION_KEYS } from '../run/config/option-name.js';
import { optionShape } from '../run/config/option-shape.js';
import { PRESETS } from '../run/config/presets.js';
import type { OptionMeta } from '../run/config/option-kinds.js';
import { optionMeta, type RunConfig, type RunConfigKey } from '../run/config/schema.js';
import { coded } from '../errors/errors.js';
import { requireDataOf, resumption, storedOptions, withAbsoluteInitFrom } from './training/resumed-run.js';

const HELP_GROUPS: Readonly<Record<OptionMeta['group'], string>> = {
  data: 'Data:',
  model: 'Model:',
  training: 'Training:',
  run: 'Run:',
  cluster: 'Cluster:',
};

/** Values stay texts: the config knows what they mean and names what is wrong with them. */
function flags(key: RunConfigKey): Option[] {
  const { type, choices, defaultValue, nullable } = optionShape(key);
  const { help, unit, group, path } = optionMeta(key);
  const name = kebab(key);
  const placeholder = choices.length > 0 ? choices.join('|') : (unit ?? (path ? 'path' : type));
  const shown = defaultValue === undefined ? 'required' : `default: ${defaultValue ?? 'none'}`;
  const text = `${help} (${shown}${nullable && defaultValue !== null ? ', or none' : ''})`;
  if (key === 'resume') {
    const resume = new Option(`--${name} [folder]`, `${help}, that of --out or the one named here`);
    return [resume.helpGroup(HELP_GROUPS[group])];
  }
  const made =
    type === 'boolean'
      ? [new Option(`--${name}`, text), new Option(`--no-${name}`, `not --${name}`).hideHelp()]
      : [new Option(`--${name} <${placeholder}>`, text)];
  return made.map((option) => option.helpGroup(HELP_GROUPS[group]));
}

/** Adds a flag for every option of a run, and --config, --preset, --print-config. */
export function addConfigFlags(command: Command): Command {
  const presets = `options of a published run: ${Object.keys(PRESETS).join(', ')}`;
  const general = [
    new Option('--config <file>', 'YAML file with options, named like the flags'),
    new Option('--preset <name>', presets),
    new Option('--print-config', 'print the effective config as YAML and exit'),
  ];
  for (const option of general) command.addOption(option.helpGroup(HELP_GROUPS.run));
  for (const key of OPTION_KEYS) for (const option of flags(key)) command.addOption(option);
  return command;
}

export interface ConfigFlagValues extends OptionValues {
  readonly config?: string;
  readonly preset?: string;
  readonly printConfig?: boolean;
}

/** Whether `key` has a value other than its default: of a flag, of the file, or of the run that is resumed. */
export async function isOptionGiven(key: RunConfigKey, values: ConfigFlagValues): Promise<boolean> {
  const file = values.config === undefined ? {} : (await readConfigFile(values.config)).values;
  if (values[key] !== undefined || file[key] !== undefined) return true;
  const resumed = resumption(values, file);
  return resumed !== null && (await storedOptions(resumed)) !== null;
}

/**
 * The run's config from flags, file and preset, and from the run folder where a run is resumed.
 * @throws CONFIG_*, BATCH_NOT_DIVISIBLE, MODEL_*, TOO_MANY_WORKERS, RUN_NOT_FOUND, RUN_CONFIG_CHANGED, RUN_DATA_MISSING
 */
export async function configFromFlags(values: ConfigFlagValues): Promise<Readonly<RunConfig>> {
  const { config: path, preset = null } = values;
  const home = homedir();
  const given = expandPaths<OptionValues>(
    Object.fromEntries(OPTION_KEYS.map((key) => [key, values[key]])),
    home,
  );
  const read = path === undefined ? { preset: null, values: {} } : await readConfigFile(path);
  const file = { preset: read.preset, values: expandPaths(read.values, home) };
  const resumed = resumption(given, file.values);
  if (resumed === null) return resolveConfig({ flags: given, file, preset });
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
