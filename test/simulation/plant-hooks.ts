/** Changes the source of one module as it is loaded. */
import type { InitializeHook, LoadHook } from 'node:module';
import type { PlantedFault } from './planted-faults.js';

let fault: PlantedFault | undefined;

export const initialize: InitializeHook<PlantedFault> = (data) => {
  fault = data;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const changes = (fault?.changes ?? []).filter(({ file }) => url.endsWith(`/dist/src/${file}`));
  if (changes.length === 0) return loaded;
  let source = Buffer.from(loaded.source as Uint8Array).toString();
  for (const { file, code, instead } of changes) {
    const parts = source.split(code);
    if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times: ${code}`);
    source = parts.join(instead);
  }
  return { ...loaded, source };
};
