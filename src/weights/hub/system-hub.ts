/** The hub as this process's environment names it. */
import { homedir } from 'node:os';
import { cachedModel } from './hub-model.js';
import { isHubName } from './hub-name.js';
import { hubSettings, type HubSettings } from './hub-settings.js';

export function systemHub(): HubSettings {
  return hubSettings(process.env, homedir());
}

/** The path of weights: as it is, or the folder in the cache of what `hf:` names. @throws HUB_NOT_CACHED */
export async function localWeights(path: string): Promise<string> {
  return isHubName(path) ? cachedModel(path, systemHub()) : path;
}
