/** Brings a model of a hub into the cache, and finds it there. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { coded } from '../../errors/errors.js';
import { malformed } from '../format/malformed.js';
import { decodeShardIndex } from '../format/shard-index.js';
import { weightFileAmong } from '../file/open-tensor-file.js';
import { downloadFile } from './file-download.js';
import { HubCache } from './hub-cache.js';
import { HubClient } from './hub-client.js';
import { hubName } from './hub-name.js';
import type { HubSettings } from './hub-settings.js';

/** Tells how far a download is: the file, its bytes that have come, and all of them. */
export type OnProgress = (file: string, done: number, total: number) => void;

/** Files beside the weights that describe the model, as far as there are any. */
const DESCRIPTIONS = ['config.json', 'preprocessor_config.json'];

/** The folder of a model that was fetched before, here or by huggingface_hub. @throws HUB_NOT_CACHED, HUB_NAME_INVALID */
export async function cachedModel(text: string, settings: Pick<HubSettings, 'cache'>): Promise<string> {
  const cache = new HubCache(settings.cache, hubName(text));
  const commit = await cache.commit();
  const folder = commit === null ? null : cache.snapshot(commit);
  if (folder === null || !(await isWhole(folder))) {
    throw coded('HUB_NOT_CACHED', { name: text, cache: settings.cache });
  }
  return folder;
}

/** Whether a snapshot has weights, with all files that their index names. */
async function isWhole(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  const weights = weightFileAmong(names);
  if (weights?.endsWith('.index.json') !== true) return weights !== null;
  const index = decodeShardIndex(await readFile(join(folder, weights), 'utf8'));
  return typeof index !== 'string' && [...index.keys()].every((shard) => names.includes(shard));
}

class Fetching {
  readonly #client: HubClient;
  readonly #cache: HubCache;
  readonly #commit: string;
  readonly #onProgress: OnProgress;

  constructor(client: HubClient, cache: HubCache, commit: string, onProgress: OnProgress) {
    this.#client = client;
    this.#cache = cache;
    this.#commit = commit;
    this.#onProgress = onProgress;
  }

  /** Where the file is in the snapshot, once it is there. */
  async file(name: string): Promise<string> {
    const path = join(this.#cache.snapshot(this.#commit), name);
    if (await this.#cache.has(this.#commit, name)) return path;
    const described = await this.#client.describe(this.#commit, name);
    const blob = this.#cache.blob(described.checksum);
    await downloadFile(this.#client, described, blob, (done, total) => this.#onProgress(name, done, total));
    await this.#cache.link(this.#commit, name, described.checksum);
    return path;
  }

  /** The weights, and all files that their index names. */
  async weights(name: string): Promise<void> {
    const path = await this.file(name);
    if (!name.endsWith('.index.json')) return;
    const index = decodeShardIndex(await readFile(path, 'utf8'));
    if (typeof index === 'string') throw malformed(path, 'an index of safetensors files', index);
    for (const shard of index.keys()) await this.file(shard);
  }
}

/**
 * The folder of a model: from the cache if the revision is there as the hub has it now, else downloaded.
 * @param text hf:OWNER/NAME[@REVISION]
 * @throws HUB_*
 */
export async function fetchModel(
  text: string,
  settings: HubSettings,
  onProgress: OnProgress,
): Promise<string> {
  if (settings.offline) return cachedModel(text, settings);
  const name = hubName(text);
  const client = new HubClient(settings, name);
  const cache = new HubCache(settings.cache, name);
  const { commit, files } = await client.listing();
  const weights = weightFileAmong(files.filter((file) => !file.includes('/')));
  if (weights === null) {
    throw coded('WEIGHTS_FORMAT_UNKNOWN', { path: text, what: 'a model without files of weights' });
  }
  await cache.prepare();
  const fetching = new Fetching(client, cache, commit, onProgress);
  for (const file of DESCRIPTIONS) if (files.includes(file)) await fetching.file(file);
  await fetching.weights(weights);
  await cache.refer(commit);
  return cache.snapshot(commit);
}
