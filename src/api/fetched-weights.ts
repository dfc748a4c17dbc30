/** Fetches the weights that `--init-from hf:OWNER/NAME` names, before a run's options are read from them. */
import { counted } from '../errors/wording.js';
import { readConfigFile } from '../run/config/config-file.js';
import { fetchModel } from '../weights/hub/hub-model.js';
import { isHubName } from '../weights/hub/hub-name.js';
import { systemHub } from '../weights/hub/system-hub.js';
import type { Coordination } from './coordinated-run.js';
import { resumption, storedOptions } from './resumed-run.js';
import type { UncheckedOptions } from './run-options.js';

/** Every tenth of a file is told. */
const STEPS = 10;

/** Tells how far each file is. */
function progressTo(tell: Coordination['tell']): (file: string, done: number, total: number) => void {
  const told = new Map<string, number>();
  return (file, done, total) => {
    const step = Math.floor((done * STEPS) / Math.max(1, total));
    if (step <= (told.get(file) ?? -1)) return;
    told.set(file, step);
    const text = `${file}: ${Math.floor((100 * done) / Math.max(1, total))} % of ${counted(total, 'byte')}`;
    tell({ kind: 'note', level: 'info', text });
  };
}

/** @throws HUB_*, WEIGHTS_FORMAT_UNKNOWN */
export async function fetchWeights(
  options: UncheckedOptions,
  { tell }: Pick<Coordination, 'tell'>,
): Promise<void> {
  const file = options.config === undefined ? {} : (await readConfigFile(options.config)).values;
  const { initFrom, offline } = { ...file, ...options };
  if (typeof initFrom !== 'string' || !isHubName(initFrom)) return;
  // A resumed run has its weights already.
  const resumed = resumption(options, file);
  if (resumed !== null && (await storedOptions(resumed)) !== null) return;
  const settings = systemHub();
  const alone = settings.offline || offline === true || offline === 'true';
  const folder = await fetchModel(initFrom, { ...settings, offline: alone }, progressTo(tell));
  tell({ kind: 'note', level: 'info', text: `weights: ${folder}` });
}
