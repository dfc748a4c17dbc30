// Levels of processor that kernels are compiled for: which there are, which this processor can run, which to compile.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FLAGS, HERE, SOURCES } from './compile.mjs';

const AVX2 = ['-mavx2', '-mfma', '-mf16c', '-mbmi2'];
const AVX512 = [...AVX2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'];

/** The lowest first, by the macro that src/kernels/variant.h knows them by and the name that the addon gives them. */
export const LEVELS = [
  { macro: 'PORTABLE', name: 'portable', flags: [] },
  { macro: 'AVX2', name: 'avx2', flags: AVX2 },
  { macro: 'AVX512', name: 'avx512', flags: AVX512 },
  { macro: 'AVX512BF16', name: 'avx512-bf16', flags: [...AVX512, '-mavx512bf16'] },
];

/** This kernel code alone has instructions of the highest level; the rest of that level is the one below. */
export const BF16 = /^kernels.(gemm|attention)\.cc$/;

const CHOICES = ['best', 'runnable', 'all'];

/**
 * What to compile, as VITRAIL_LEVELS says: `best`, the level that this processor computes with; `runnable`, all that it
 * can run, for tests; `all`. Without a word of it a package is made for any processor and a clone for its own.
 */
export function levelChoice() {
  const asked = process.env.VITRAIL_LEVELS;
  if (asked === undefined || asked === '') return existsSync(join(HERE, '../tsconfig.json')) ? 'best' : 'all';
  if (!CHOICES.includes(asked)) {
    throw new Error(`VITRAIL_LEVELS is ${asked}; there are ${CHOICES.join(', ')}`);
  }
  return asked;
}

/** Of `levels`, which the compiler knows, those to compile. `runnable` has the addon's names, the lowest first. */
export function chosenLevels(choice, levels, runnable) {
  const usable = levels.filter(({ name }) => runnable.includes(name));
  if (choice === 'all' || usable.length === 0) return levels;
  if (choice === 'runnable') return usable;
  const [best] = usable.slice(-1);
  return usable.filter(
    ({ macro }) => macro === best.macro || (best.macro === 'AVX512BF16' && macro === 'AVX512'),
  );
}

/** What chooses when the addon runs is asked: processor.cc itself. */
const PROBE = `
#include "base/processor.h"
#include <cstdio>
int main() { for (auto level : vitrail::usableLevels()) std::puts(vitrail::nameOf(level)); }
`;

/** Names of the levels that this processor can run; none where that cannot be told. */
export function runnableLevels(compiler) {
  const probe = join(HERE, 'build', `levels-${process.pid}`);
  mkdirSync(join(HERE, 'build'), { recursive: true });
  const macros = LEVELS.map(({ macro }) => `-DVITRAIL_${macro}`);
  const sources = ['-x', 'c++', '-', join(SOURCES, 'base/processor.cc')];
  const flags = [...FLAGS, ...macros, '-O0', `-I${SOURCES}`, ...sources, '-o', probe];
  const { status } = spawnSync(compiler, flags, { input: PROBE, stdio: ['pipe', 'ignore', 'ignore'] });
  if (status !== 0) return [];
  const { stdout } = spawnSync(probe, [], { encoding: 'utf8', timeout: 10_000 });
  rmSync(probe, { force: true });
  return stdout?.split('\n').filter((name) => name !== '') ?? [];
}
