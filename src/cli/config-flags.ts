/** Makes command-line flags from the schema of a run's options. */
import { Option, type Command } from 'commander';
import type { RunOptions, UncheckedOptions } from '../api/run-options.js';
import { kebab } from '../run/config/kebab-case.js';
import { OPTION_KEYS } from '../run/config/option-name.js';
import { optionShape } from '../run/config/option-shape.js';
import { PRESETS } from '../run/config/presets.js';
import type { OptionMeta } from '../run/config/option-kinds.js';
import { optionMeta, type RunConfigKey } from '../run/config/schema.js';

const HELP_GROUPS: Readonly<Record<OptionMeta['group'], string>> = {
  data: 'Data:',
  model: 'Model:',
  training: 'Training:',
  run: 'Run:',
  cluster: 'Cluster:',
};

/** Values stay texts. The config interprets them and says what is wrong with them. */
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

/** The values that commander gives for these flags: options of a run, still as texts, and the other flags. */
export type ConfigFlagValues = UncheckedOptions & { readonly printConfig?: boolean };

/** The options of a run among the flags of a command. */
export function optionsOf(flags: ConfigFlagValues): UncheckedOptions {
  const keys = [...OPTION_KEYS, 'config', 'preset'] as const;
  return Object.fromEntries(keys.map((key) => [key, flags[key]]));
}

/** The same for a function of the library, which checks values and accepts texts. */
export function runOptionsOf(flags: ConfigFlagValues): RunOptions {
  return optionsOf(flags) as RunOptions;
}
