/** Fetches the weights that `--init-from hf:OWNER/NAME` names, before a run's options are read from them. */
import { nodeDisk } from '../host/disk.js';
import { reasonOf } from '../errors/errors.js';
import { counted } from '../errors/wording.js';
import { listCheckpoints } from '../run/checkpoint/checkpoint-store.js';
import { readConfigFile } from '../run/config/config-file.js';
import { cachedModel, fetchModel, type OnProgress } from '../weights/hub/hub-model.js';
import { atCommit, isHubName } from '../weights/hub/hub-name.js';
import type { HubSettings } from '../weights/hub/hub-settings.js';
import { systemHub } from '../weights/hub/system-hub.js';
import type { Coordination } from './coordinated-run.js';
import type { UncheckedOptions } from './run-options.js';
import { weightSource } from './weight-source.js';

type Tell = Coordination['tell'];

/** Every tenth of a file is told. */
const STEPS = 10;

/** Tells how far each file is. */
function progressTo(tell: Tell): OnProgress {
  const told = new Map<string, number>();
  return (file, done, total) => {
    const step = Math.floor((done * STEPS) / Math.max(1, total));
    if (step <= (told.get(file) ?? -1)) return;
    told.set(file, step);
    const text = `${file}: ${Math.floor((100 * done) / Math.max(1, total))} % of ${counted(total, 'byte')}`;
    tell({ kind: 'note', level: 'info', text });
  };
}

async function fetched(name: string, settings: HubSettings, tell: Tell): Promise<void> {
  const folder = await fetchModel(name, settings, progressTo(tell));
  tell({ kind: 'note', level: 'info', text: `weights: ${folder}` });
}

/**
 * Brings back the weights of a run that has begun, as they were then. They may be needed only if it has no checkpoint, and
 * not even then if its workers hold its state, so it is no error yet if they are not to be had.
 */
async function fetchAgain(name: string, settings: HubSettings, tell: Tell): Promise<void> {
  try {
    await cachedModel(name, settings).catch(async () => fetched(name, settings, tell));
  } catch (thrown) {
    const text = `the weights that the run started from cannot be fetched again: ${reasonOf(thrown)}`;
    tell({ kind: 'note', level: 'warning', text });
  }
}

/** @throws HUB_*, WEIGHTS_FORMAT_UNKNOWN, CONFIG_* */
export async function fetchWeights(
  options: UncheckedOptions,
  { tell }: Pick<Coordination, 'tell'>,
): Promise<void> {
  const file = options.config === undefined ? {} : (await readConfigFile(options.config)).values;
  const source = await weightSource(options, file);
  if (source === null || !isHubName(source.from)) return;
  const { from, commit, run } = source;
  const name = commit === null ? from : atCommit(from, commit);
  const offline = options.offline ?? file.offline ?? run?.values.offline ?? false;
  const system = systemHub();
  const settings = { ...system, offline: system.offline || offline === true || offline === 'true' };
  if (run === null) return fetched(name, settings, tell);
  if ((await listCheckpoints(nodeDisk, run.path)).length === 0) await fetchAgain(name, settings, tell);
}
