/** `npm run bench`: the short form of every benchmark, one after the other; about five minutes on two cores. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNS: readonly (readonly [file: string, ...args: string[]])[] = [
  ['step.js'],
  ['ring.js', '--mb', '1,22,86', '--ranks', '2,3'],
  ['decode.js'],
  ['gemm.js', '--widths', '192', '--rounds', '3'],
];

for (const [file, ...args] of RUNS) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  // Further arguments, such as --json, are given to every benchmark.
  const { status } = spawnSync(process.execPath, [path, ...args, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  console.log();
}
