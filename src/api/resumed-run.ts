/** Reads the options of a run that is to be resumed or looked at from its folder. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CONFIG_FILE } from '../run/folder/starting-point.js';
import { readConfigFile } from '../run/config/config-file.js';
import type { OptionValues, StoredOptions } from '../run/config/config.js';
import { OPTION_KEYS } from '../run/config/option-name.js';
import { optionMeta, type RunConfig } from '../run/config/schema.js';
import { coded } from '../errors/errors.js';
import { isHubName } from '../weights/hub/hub-name.js';

const DEFAULT_OUT = 'runs/vitrail';

/** The folder that `--out` names. */
export function folderOf(flags: OptionValues, file: OptionValues): string {
  const out = flags.out ?? file.out;
  return typeof out === 'string' ? out : DEFAULT_OUT;
}

/**
 * The folder of the run that is to be resumed, or null: `--resume RUN`, or `--resume` with --out.
 * @throws CONFIG_INVALID_VALUE if two folders are named
 */
export function resumption(flags: OptionValues, file: OptionValues): string | null {
  const resume = flags.resume ?? file.resume;
  if (resume === undefined || resume === false) return null;
  const out = flags.out ?? file.out;
  if (typeof resume !== 'string') return folderOf(flags, file);
  if (typeof out === 'string' && resolve(out) !== resolve(resume)) {
    throw coded('CONFIG_INVALID_VALUE', {
      key: 'out',
      value: out,
      problem: `--resume names the run ${resume}`,
      expected: 'the same folder, or no --out',
    });
  }
  return resume;
}

/** The options that the run in `runDir` was started with; null if the folder has none. @throws CONFIG_* */
export async function storedOptions(runDir: string): Promise<StoredOptions | null> {
  const path = join(runDir, CONFIG_FILE);
  if (!existsSync(path)) return null;
  return { path: runDir, values: withAbsoluteInitFrom((await readConfigFile(path)).values) };
}

/** `values` with an absolute `initFrom`, because the stored one, with which it is compared, is absolute. */
export function withAbsoluteInitFrom(values: OptionValues): OptionValues {
  const { initFrom } = values;
  return typeof initFrom === 'string' && initFrom !== 'none' && !isHubName(initFrom)
    ? { ...values, initFrom: resolve(initFrom) }
    : values;
}

/** @param data as the run has it stored. @throws RUN_DATA_MISSING */
export function requireDataOf(runDir: string, data: string): void {
  if (statSync(data, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw coded('RUN_DATA_MISSING', { path: runDir, data: resolve(data) });
}

/**
 * The options of the run that `path` is the folder of, or a checkpoint of: as its folder has them now, else as the
 * checkpoint has them.
 */
export async function optionsOfRun(path: string, checkpoint: RunConfig): Promise<StoredOptions> {
  const above = resolve(path, '..', '..');
  return (await storedOptions(path)) ?? (await storedOptions(above)) ?? { path, values: checkpoint };
}

/** `config` with paths that mean the same in whatever folder the run is resumed. */
export function withAbsolutePaths(config: RunConfig): RunConfig {
  const paths = OPTION_KEYS.filter(
    (key) => optionMeta(key).path && key !== 'out' && config[key] !== null && !isHubName(String(config[key])),
  );
  const absolute = paths.map((key) => [key, resolve(String(config[key]))] as const);
  return Object.freeze({ ...config, ...Object.fromEntries(absolute) });
}
