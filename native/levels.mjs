// The levels of processor that kernels are compiled for: all levels, those that this processor can run, those
// to compile.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FLAGS, HERE, SOURCES } from './compile.mjs';

const AVX2 = ['-mavx2', '-mfma', '-mf16c', '-mbmi2'];
const AVX512 = [...AVX2, '-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mprefer-vector-width=512'];

/** The lowest first, each with its macro for src/kernels/variant.h and its name in the addon. */
export const LEVELS = [
  { macro: 'PORTABLE', name: 'portable', flags: [] },
  { macro: 'AVX2', name: 'avx2', flags: AVX2 },
  { macro: 'AVX512', name: 'avx512', flags: AVX512 },
  { macro: 'AVX512BF16', name: 'avx512-bf16', flags: [...AVX512, '-mavx512bf16'] },
];

/**
 * Only this kernel code uses instructions of the highest level. For other files that level is the same as the
 * one below.
 */
export const BF16 = /^kernels.(gemm|attention)\.cc$/;

const CHOICES = ['best', 'runnable', 'all'];

/**
 * The levels to compile, from VITRAIL_LEVELS: `best` is the level that this processor computes with,
 * `runnable` all that it can run (for tests), and `all`. If it is not set, a package is compiled for any
 * processor and a clone for its own.
 */
export function levelChoice() {
  const asked = process.env.VITRAIL_LEVELS;
  if (asked === undefined || asked === '') return existsSync(join(HERE, '../tsconfig.json')) ? 'best' : 'all';
  if (!CHOICES.includes(asked)) {
    throw new Error(`VITRAIL_LEVELS is ${asked}; there are ${CHOICES.join(', ')}`);
  }
  return asked;
}

/**
 * The levels to compile, out of `levels`, which the compiler knows. `runnable` has the addon's names, the
 * lowest first.
 */
export function chosenLevels(choice, levels, runnable) {
  const usable = levels.filter(({ name }) => runnable.includes(name));
  if (choice === 'all' || usable.length === 0) return levels;
  if (choice === 'runnable') return usable;
  const [best] = usable.slice(-1);
  return usable.filter(
    ({ macro }) => macro === best.macro || (best.macro === 'AVX512BF16' && macro === 'AVX512'),
  );
}

/** A program that asks processor.cc, the same code that chooses the level when the addon runs. */
const PROBE = `
#include "base/processor.h"
#include <cstdio>
int main() { for (auto level : vitrail::usableLevels()) std::puts(vitrail::nameOf(level)); }
`;

/** Names of the levels that this processor can run; empty if that cannot be found out. */
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
