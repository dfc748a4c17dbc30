/** Evaluates the test images once, when the run is over and its best checkpoint was chosen without them. */
import type { FinalTest } from './evaluation.js';
import type { RunDefinition } from './recovery/run-opening.js';
import type { RunServices } from './run-services.js';
import { checkpointAt } from '../run/folder/starting-point.js';
import { evaluate } from './trainer.js';

/**
 * Evaluates the last weights and those of the best checkpoint, which the workers are given for this purpose. A failure
 * here ends only the test: the run itself is safe in its checkpoints.
 * @returns null when a stop was asked for
 * @throws STATE_LOST, STEP_TIMEOUT, WORKERS_MISSING and what `Rendezvous.show` throws
 */
export async function finalTest(
  { host, config, manifest, layout, warn }: RunDefinition,
  services: RunServices,
  stopRequested: () => string | null,
): Promise<FinalTest | null> {
  const { cluster, rendezvous, observer, progress } = services;
  const run = { config, manifest, cluster, stopRequested };
  const { step, best } = progress.state;
  const last = await evaluate(run, 'test', step);
  if (last === null) return null;
  observer.onFinalTest({ step, test: last, best: best?.step === step });
  if (best === null || best.step === step) return { last, best: best && last };
  const start = await checkpointAt(host.disk, config.out, best.step, layout, warn);
  if (start === null) return { last, best: null };
  const { state, lastCommit } = progress;
  try {
    if (!(await rendezvous.show(services, start))) return null;
    const figures = await evaluate(run, 'test', best.step);
    if (figures === null) return null;
    observer.onFinalTest({ step: best.step, test: figures, best: true });
    return { last, best: figures };
  } finally {
    progress.state = state;
    progress.lastCommit = lastCommit;
  }
}
