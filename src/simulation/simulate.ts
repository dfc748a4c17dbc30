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

/** Runs one history again. @returns whether it keeps every promise */
async function replay(history: History, trace: boolean): Promise<boolean> {
  const print = (text: string): void => console.log(text);
  const { violations } = await simulate(history, trace ? print : undefined);
  console.log(violations.length === 0 ? 'nothing is violated' : violations.join('\n'));
  if (violations.length === 0) return true;
  const { faults } = await shrunk(history);
  const share = `${faults.length} of its ${history.faults.length} faults are enough`;
  console.log(`${share}: ${JSON.stringify(faults)}`);
  return false;
}

interface Search {
  readonly runs: number;
  readonly from: number;
  readonly only: readonly string[];
  readonly stopAtFirst: boolean;
}

/** Runs many histories and prints those that fail. @returns whether none does */
async function search({ runs, from, only, stopAtFirst }: Search): Promise<boolean> {
  // A history makes some hundred errors that somebody takes; `--seed` shows where one came from.
  Error.stackTraceLimit = 0;
  const startMs = performance.now();
  let events = 0;
  let virtualMs = 0;
  let failed = 0;
  let done = 0;
  for (let seed = from; seed < from + runs; seed++) {
    const outcome = await simulate(historyOf(seed, only)).catch(failedClean);
    done++;
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    if (outcome.violations.length === 0) continue;
    failed++;
    console.log(`seed ${seed}: ${outcome.violations[0]}`);
    if (stopAtFirst) break;
  }
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const virtual = `${events} events, ${Math.round(virtualMs / 1000)} virtual s`;
  console.log(`${done} histories, ${failed} failed, ${virtual} in ${seconds} s`);
  return failed === 0;
}

const USAGE = `npm run simulate -- [--runs N] [--from SEED] [--only KIND,KIND] [--stop-at-first]
npm run simulate -- --seed N [--trace]`;

const OPTIONS = {
  runs: { type: 'string', default: '1000' },
  from: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  seed: { type: 'string' },
  trace: { type: 'boolean', default: false },
  'stop-at-first': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function given() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return (error as Error).message;
  }
}

async function main(): Promise<boolean> {
  const values = given();
  if (typeof values === 'string' || values.help) {
    console.error(typeof values === 'string' ? `${values}\n\n${USAGE}` : USAGE);
    return typeof values !== 'string';
  }
  for (const name of ['runs', 'from', 'seed'] as const) {
    if (/^\d+$/.test(values[name] ?? '0')) continue;
    console.error(`--${name} ${values[name]} is no whole number\n\n${USAGE}`);
    return false;
  }
  const only = values.only.split(',').filter((kind) => kind !== '');
  if (values.seed !== undefined) return replay(historyOf(Number(values.seed), only), values.trace);
  const stopAtFirst = values['stop-at-first'];
  return search({ runs: Number(values.runs), from: Number(values.from), only, stopAtFirst });
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split('/').at(-1)!))
  process.exitCode = (await main()) ? 0 : 1;
