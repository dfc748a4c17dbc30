/**
 * Runs simulated histories one after the other (`npm run simulate -- --runs N --from SEED`), or one of them
 * with a trace.
 */
import { parseArgs } from 'node:util';
import { historyOf, withoutFault, type History } from './history.js';
import { SimulatedRun, type Outcome } from './simulated-run.js';
import { QUICK } from './simulated-wire.js';
import type { CleanRun } from './verdicts.js';

const clean = new Map<number, CleanRun>();

/** A run without faults that violates something. */
class CleanRunFailed extends Error {
  constructor(variant: number, violation: string) {
    super(`the clean run of variant ${variant}: ${violation}`);
  }
}

/**
 * The clean run of a variant, whose results every other run must have: one worker, no faults, a checkpoint
 * after every step.
 */
async function cleanRun(variant: number): Promise<CleanRun> {
  const known = clean.get(variant);
  if (known !== undefined) return known;
  const history: History = {
    seed: 0,
    workers: 1,
    minWorkers: 1,
    variant,
    checkpointEverySteps: 1,
    auditEverySteps: 0,
    latency: QUICK,
    faults: [],
  };
  const { violations, verdicts } = await new SimulatedRun(history, null).run();
  if (violations.length > 0) throw new CleanRunFailed(variant, violations[0]!);
  const { commits, weights, evaluations } = verdicts;
  const found = { commits, weights, evaluations, steps: commits.size };
  clean.set(variant, found);
  return found;
}

async function simulate(history: History, trace?: (text: string) => void): Promise<Outcome> {
  return new SimulatedRun(history, await cleanRun(history.variant), trace ?? null).run();
}

/** Shrinks a history to the fewest faults with which it still fails. */
async function shrunk(history: History): Promise<History> {
  for (let i = 0; i < history.faults.length; i++) {
    const fewer = withoutFault(history, i);
    if ((await simulate(fewer)).violations.length > 0) return shrunk(fewer);
  }
  return history;
}

function failedClean(error: unknown): Pick<Outcome, 'violations' | 'events' | 'virtualMs'> {
  if (!(error instanceof CleanRunFailed)) throw error;
  return { violations: [error.message], events: 0, virtualMs: 0 };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      'stop-at-first': { type: 'boolean', default: false },
    },
  });
  if (values.seed !== undefined) {
    const history = historyOf(Number(values.seed));
    const print = (text: string): void => console.log(text);
    const { violations } = await simulate(history, values.trace ? print : undefined);
    console.log(violations.length === 0 ? 'nothing is violated' : violations.join('\n'));
    if (violations.length > 0) {
      const { faults } = await shrunk(history);
      console.log(
        `${faults.length} of its ${history.faults.length} faults are enough: ${JSON.stringify(faults)}`,
      );
    }
    process.exitCode = violations.length === 0 ? 0 : 1;
    return;
  }
  const startMs = performance.now();
  let events = 0;
  let virtualMs = 0;
  let failed = 0;
  let done = 0;
  const runs = Number(values.runs);
  for (let i = 0; i < runs; i++) {
    const seed = Number(values.from) + i;
    const outcome = await simulate(historyOf(seed)).catch(failedClean);
    done++;
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    if (outcome.violations.length === 0) continue;
    failed++;
    console.log(`seed ${seed}: ${outcome.violations[0]}`);
    if (values['stop-at-first']) break;
  }
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `${done} histories, ${failed} failed, ${events} events, ${Math.round(virtualMs / 1000)} virtual s in ${seconds.toFixed(1)} s`,
  );
  process.exitCode = failed === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split('/').at(-1)!))
  await main();
