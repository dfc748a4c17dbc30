/** Where the hub and its cache are, from the environment variables that Hugging Face's own libraries use. */
import { join } from 'node:path';

export interface HubSettings {
  readonly endpoint: string;
  readonly cache: string;
  /** Null for models that anybody may read. */
  readonly token: string | null;
  /** Whether the cache alone is used. */
  readonly offline: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

function given(environment: Environment, name: string): string | null {
  const value = environment[name]?.trim();
  return value === undefined || value === '' ? null : value;
}

/** @param home the user's folder */
export function hubSettings(environment: Environment, home: string): HubSettings {
  const caches = given(environment, 'XDG_CACHE_HOME') ?? join(home, '.cache');
  const hubHome = given(environment, 'HF_HOME') ?? join(caches, 'huggingface');
  return {
    endpoint: (given(environment, 'HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, ''),
    cache: given(environment, 'HF_HUB_CACHE') ?? join(hubHome, 'hub'),
    token: given(environment, 'HF_TOKEN'),
    offline: ['1', 'true', 'yes', 'on'].includes((given(environment, 'HF_HUB_OFFLINE') ?? '').toLowerCase()),
  };
}
