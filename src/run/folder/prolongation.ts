/**
 * `--extend-to-epochs`: gives a run that ended or was stopped more epochs, and notes in its identity from
 * which step on.
 */
import { listCheckpoints } from '../checkpoint/checkpoint-store.js';
import type { RunConfig } from '../config/schema.js';
import { coded } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { INITIAL_EARLY_STOPPING } from '../schedule/early-stopping.js';
import { parseProlongations, totalSteps, withProlongation } from '../schedule/run-length.js';
import { readJournal } from '../journal/journal-file.js';
import type { RunState } from '../journal/run-state.js';

/**
 * `config` with a length of `extendToEpochs` from `step` on. A length that the run has already adds nothing,
 * so that the same command may be given again.
 * @throws CONFIG_INVALID_VALUE if the run would become shorter
 */
export function prolonged(config: RunConfig, step: number, stepsPerEpoch: number): RunConfig {
  const { extendToEpochs: epochs } = config;
  if (epochs === null) return config;
  const length = totalSteps(config, stepsPerEpoch);
  const longer = epochs * stepsPerEpoch - length;
  if (longer < 0) {
    throw coded('CONFIG_INVALID_VALUE', {
      key: 'extend-to-epochs',
      value: String(epochs),
      problem: `the run has ${length} steps, and ${epochs} epochs are ${epochs * stepsPerEpoch}`,
      expected: `at least ${Math.ceil(length / stepsPerEpoch)}`,
    });
  }
  const list = config.prolonged;
  const added = longer === 0 ? list : withProlongation(list, { fromStep: step, epochs });
  return Object.freeze({ ...config, extendToEpochs: null, prolonged: added });
}

/** The newest step that the run in `runDir` is known to have committed; 0 for none. @throws JOURNAL_DAMAGED */
export async function newestStep(disk: Disk, runDir: string): Promise<number> {
  const journal = await readJournal(disk, runDir);
  const saved = (await listCheckpoints(disk, runDir)).map(({ step }) => step);
  return Math.max(0, journal?.state.step ?? 0, ...saved);
}

/**
 * The state to go on with. A run that is prolonged has not stopped early any more, and counts its patience
 * from 0.
 */
export function afterProlongation(state: RunState, { prolonged: list }: RunConfig): RunState {
  const here = (parseProlongations(list) ?? []).some(({ fromStep }) => fromStep === state.step);
  if (!here) return state;
  const { badEvaluations } = INITIAL_EARLY_STOPPING;
  return { ...state, ended: null, earlyStopping: { ...state.earlyStopping, badEvaluations } };
}
