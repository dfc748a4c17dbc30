/** A run folder and all that a coordinator knows before its workers come, without images. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { systemHost, type Host } from '../../src/host/host.js';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DiskWait } from '../../src/host/disk-space.js';
import type { JournalOpen } from '../../src/run/journal/journal-format.js';
import { Journal } from '../../src/run/journal/journal.js';
import { openRun, type RunDefinition, type RunOpening } from '../../src/coordinator/recovery/run-opening.js';
import { initialRunState, type RunState } from '../../src/run/journal/run-state.js';
import { resolveConfig, type OptionValues } from '../../src/run/config/config.js';
import { modelSpec } from '../../src/run/model/model-spec.js';
import { parameterLayout } from '../../src/run/model/parameter-layout.js';

const NOWHERE = { address: 'tcp://127.0.0.1:5', httpAddress: '127.0.0.1:6' };
export const NO_WAIT: DiskWait = {
  clock: systemHost.clock,
  onFull: () => undefined,
  interrupted: () => true,
  check: async () => Promise.resolve(),
};

export interface RunFixture {
  readonly definition: RunDefinition;
  /** What the user was warned of. */
  readonly warnings: readonly string[];
  readonly stateAfter: (step: number) => RunState;
  /** Makes the folder a run's. */
  readonly begin: () => void;
  /** The folder's checkpoint of `step`, which does not verify. */
  readonly damagedCheckpoint: (step: number) => void;
  /** A journal as a coordinator leaves it that begins on the folder. */
  readonly journalOf: (opening: RunOpening, more?: Partial<JournalOpen>) => Promise<Journal>;
  /** What a coordinator leaves that was killed after `step` steps. */
  readonly interruptedAt: (step: number, backend: string) => Promise<void>;
}

/** A folder that is removed after the test, which is what it was before. */
export function temporaryRun(t: TestContext): string {
  const out = mkdtempSync(join(tmpdir(), 'vitrail-run-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  return out;
}

export function runFixture(
  t: TestContext,
  options: OptionValues = {},
  out = temporaryRun(t),
  host: Host = systemHost,
): RunFixture {
  const config = resolveConfig({
    flags: { data: '/nowhere', out, model: 'vit-micro/16', imageSize: 16, ...options },
  });
  const spec = modelSpec(config.model, { ...config, classes: 2 });
  const layout = parameterLayout(spec);
  const samples = [0, 1, 0, 1].map((label, i) => ({ path: `${i}.png`, bytes: 1, label }));
  const split = { samples, digest: 's' };
  const val = { samples: [], digest: 'v' };
  const manifest = { classes: ['a', 'b'], train: split, val, test: split, digest: 'm' };
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const definition = { host, config, manifest, spec, layout, warn, check: NO_WAIT.check };
  const stateAfter = (step: number): RunState => ({ ...initialRunState(layout.slots.length), step });
  const begin = (): void => writeFileSync(join(out, 'config.yaml'), '');
  const journalOf: RunFixture['journalOf'] = async (opening, more) => {
    const start = Object.assign(opening.record(NOWHERE), more);
    const journal = await Journal.begin(host, out, start, null, NO_WAIT);
    t.after(async () => journal.close());
    return journal;
  };
  return {
    definition,
    warnings,
    stateAfter,
    begin,
    damagedCheckpoint: (step) => {
      const folder = join(out, 'checkpoints', `step-${String(step).padStart(8, '0')}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'weights.safetensors'), 'torn');
    },
    journalOf,
    interruptedAt: async (step, backend) => {
      // What a run began with is gone by now.
      const opening = await openRun({ ...definition, config: { ...config, initFrom: null } }, false);
      const journal = await journalOf(opening, { config: { ...config } });
      begin();
      await journal.backend(backend);
      await journal.commit(stateAfter(step), 1, 'd', [0, 1]);
    },
  };
}
