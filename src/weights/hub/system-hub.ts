/** The hub as this process's environment names it. */
import { homedir } from 'node:os';
import { cachedModel } from './hub-model.js';
import { atCommit, isHubName } from './hub-name.js';
import { hubSettings, type HubSettings } from './hub-settings.js';

export function systemHub(): HubSettings {
  return hubSettings(process.env, homedir());
}

/**
 * The path of weights: as it is, or the folder in the cache of what `hf:` names.
 * @param commit that is known to be meant; null for the one that the name stood for when it was last fetched
 * @throws HUB_NOT_CACHED
 */
export async function localWeights(path: string, commit: string | null = null): Promise<string> {
  if (!isHubName(path)) return path;
  return cachedModel(commit === null ? path : atCommit(path, commit), systemHub());
}
