// Runs the tests of an area, or all: node scripts/test.mjs [area]
import { spawnSync } from 'node:child_process';
import { build } from './build.mjs';
import { testFiles } from './test-files.mjs';

await build();
const flags = ['--test', '--test-concurrency=2', '--test-timeout=180000', '--test-reporter=spec'];
const { status } = spawnSync(process.execPath, [...flags, ...testFiles(process.argv[2])], {
  stdio: 'inherit',
});
process.exit(status ?? 1);
