/** Changes the source of one module as it is loaded. */
import type { InitializeHook, LoadHook } from 'node:module';
import type { PlantedFault } from './planted-faults.js';

let fault: PlantedFault | undefined;

export const initialize: InitializeHook<PlantedFault> = (data) => {
  fault = data;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (fault === undefined || !url.endsWith(`/dist/src/${fault.file}`)) return loaded;
  const source = Buffer.from(loaded.source as Uint8Array).toString();
  const parts = source.split(fault.code);
  if (parts.length !== 2) throw new Error(`${fault.file} holds ${parts.length - 1} times: ${fault.code}`);
  return { ...loaded, source: parts.join(fault.instead) };
};
