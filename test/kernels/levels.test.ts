/** Levels of processor: which are compiled, and that each is tested or is said not to be. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadKernels } from '../../src/kernels/addon.js';
import { processorSkip } from './kernel-settings.js';

interface ProcessorLevel {
  readonly name: string;
}

/** What the build uses, which is no part of dist/. */
interface LevelChoice {
  readonly LEVELS: readonly ProcessorLevel[];
  readonly chosenLevels: (
    choice: 'best' | 'runnable' | 'all',
    levels: readonly ProcessorLevel[],
    runnable: readonly string[],
  ) => readonly ProcessorLevel[];
}

const { LEVELS, chosenLevels } = (await import(
  pathToFileURL(resolve('native/levels.mjs')).href
)) as LevelChoice;

const NAMES = LEVELS.map(({ name }) => name);

/** How many of the levels, the lowest first, a processor can run; then what is compiled for it. */
const CHOICES = [
  ['best', 1, ['portable']],
  ['best', 2, ['avx2']],
  ['best', 3, ['avx512']],
  ['best', 4, ['avx512', 'avx512-bf16']],
  ['runnable', 2, ['portable', 'avx2']],
  ['runnable', 4, NAMES],
  ['all', 1, NAMES],
  ['best', 0, NAMES],
] as const;

test('a clone compiles what its processor computes with, its tests what it can run, a package all', () => {
  for (const [choice, runnable, names] of CHOICES) {
    const chosen = chosenLevels(choice, LEVELS, NAMES.slice(0, runnable));
    assert.deepEqual(
      chosen.map(({ name }) => name),
      names,
      `${choice} of ${runnable}`,
    );
  }
});

test('a level that the compiler does not know is left out, and the one below it is the best', () => {
  const known = LEVELS.slice(0, 2);
  assert.deepEqual(chosenLevels('best', known, NAMES), [known[1]]);
});

const skip = processorSkip();
const { kernels } = loadKernels();
const there = skip === false && kernels !== undefined ? kernels.levels() : [];
const WITHOUT =
  'this processor lacks it, or it is not compiled here (VITRAIL_LEVELS=runnable, as npm test has it)';

for (const level of NAMES) {
  const reason = skip !== false ? skip : !there.includes(level) && WITHOUT;
  test(`all kernel tests run on ${level}`, { skip: reason }, () => {
    const before = kernels!.configure({});
    try {
      assert.equal(kernels!.configure({ level }).level, level);
    } finally {
      kernels!.configure(before);
    }
  });
}
