// Runs the tests of an area, or all: node scripts/test.mjs [area]
import { spawnSync } from 'node:child_process';
import { build } from './build.mjs';
import { testFiles, testFlags } from './test-files.mjs';

await build();
const { status } = spawnSync(process.execPath, [...testFlags(), ...testFiles(process.argv[2])], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
