/**
 * Reads config files, and writes the effective configuration. It is the only file that imports the YAML
 * library.
 */
import { readFile } from 'node:fs/promises';
import { Document, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import { coded, reasonOf } from '../../errors/errors.js';
import type { OptionValues } from './config.js';
import { kebab } from './kebab-case.js';
import { OPTION_KEYS, nearestOption, optionOfKebab } from './option-name.js';
import { optionMeta, type RunConfig, type RunConfigKey } from './schema.js';

export interface ConfigFile {
  /** The preset that the file is based on. */
  readonly preset: string | null;
  readonly values: OptionValues;
}

function unreadable(path: string, reason: string) {
  return coded('CONFIG_UNREADABLE', { path, reason });
}

function parseMap(text: string, path: string): ReadonlyMap<unknown, unknown> {
  let root: unknown;
  try {
    const document = parseDocument(text, { prettyErrors: true });
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    // In a Map every key is a plain key, even "__proto__".
    root = document.toJS({ mapAsMap: true });
  } catch (thrown) {
    throw unreadable(path, reasonOf(thrown).split('\n')[0] ?? '');
  }
  if (root === null || root === undefined) return new Map();
  if (!(root instanceof Map)) throw unreadable(path, 'it is not a list of "option: value" lines');
  return root;
}

/**
 * The options of a config file: keys are the flags' names (`image-size: 32`), and `preset: NAME`.
 * Values are validated by `resolveConfig`.
 * @param path for messages
 * @throws CONFIG_UNREADABLE, CONFIG_UNKNOWN_KEY, CONFIG_INVALID_VALUE
 */
export function parseConfigText(text: string, path: string): ConfigFile {
  const values: Partial<Record<RunConfigKey, unknown>> = {};
  let preset: string | null = null;
  for (const [name, value] of parseMap(text, path)) {
    if (name === 'preset') {
      if (typeof value !== 'string') {
        const given = JSON.stringify(value);
        const expected = "a preset's name";
        throw coded('CONFIG_INVALID_VALUE', {
          key: 'preset',
          value: given,
          problem: 'of the wrong type',
          expected,
        });
      }
      preset = value;
      continue;
    }
    const key = typeof name === 'string' ? optionOfKebab(name) : undefined;
    if (key === undefined) {
      throw coded('CONFIG_UNKNOWN_KEY', { key: String(name), suggestion: nearestOption(String(name)) });
    }
    values[key] = value instanceof Map ? Object.fromEntries(value) : value;
  }
  return { preset, values };
}

/** Reads a config file. Throws as `parseConfigText`. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    throw unreadable(path, reasonOf(thrown));
  }
  return parseConfigText(text, path);
}

/** Every option of a run as YAML that `parseConfigText` and `resolveConfig` turn back into the same configuration. */
export function configToYaml(config: RunConfig): string {
  const document = new Document(Object.fromEntries(OPTION_KEYS.map((key) => [kebab(key), config[key]])));
  const { items } = document.contents as YAMLMap<Scalar>;
  let group = '';
  for (const [i, key] of OPTION_KEYS.entries()) {
    const meta = optionMeta(key);
    if (meta.group === group) continue;
    group = meta.group;
    const name = items[i]!.key;
    name.spaceBefore = i > 0;
    name.commentBefore = ` ${group}`;
  }
  return document.toString({ lineWidth: 0 });
}
