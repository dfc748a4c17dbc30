// Runs test files, folders of them, or all: node scripts/test.mjs [FILE ...] [--name TEXT ...] [--watch]
import { spawn } from 'node:child_process';
import { run } from 'node:test';
import { localArchitectures } from '../native/build-cuda.mjs';
import { isBuilt } from './build-state.mjs';
import { build } from './build.mjs';
import { bundle } from './bundle.mjs';
import { chooseTestFiles, namePattern, parseTestArguments, USAGE } from './test-arguments.mjs';
import { CONCURRENCY, compiledTest, testEnvironment, testSources, TIMEOUT_MS } from './test-files.mjs';
import { namedTests } from './named-tests.mjs';

function refuse(problem) {
  console.error(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

/** Compiles again whenever a source changes, except native code. */
async function compileOnChange() {
  const flags = ['-p', 'tsconfig.json', '--watch', '--preserveWatchOutput'];
  const compiler = spawn(process.execPath, ['node_modules/typescript/bin/tsc', ...flags], {
    stdio: ['ignore', 2, 2],
  });
  process.once('exit', () => compiler.kill());
  await bundle({ watch: true });
}

const { asked, names, watch, help, problem } = parseTestArguments(process.argv.slice(2));
if (problem !== undefined) refuse(problem);
if (help) {
  console.log(USAGE);
  process.exit(0);
}
const { chosen, problem: unmatched } = chooseTestFiles(asked, testSources(), process.cwd());
if (unmatched !== undefined) refuse(unmatched);

if (!isBuilt()) {
  process.env.VITRAIL_CUDA_ARCHITECTURES = localArchitectures('none');
  await build();
}
Object.assign(process.env, testEnvironment());
if (watch) await compileOnChange();
const stream = run({
  files: chosen.map(compiledTest),
  concurrency: CONCURRENCY,
  timeout: TIMEOUT_MS,
  testNamePatterns: names.length > 0 ? names.map(namePattern) : undefined,
  watch,
});
stream.on('test:fail', () => (process.exitCode = 1));
stream.compose(namedTests(names)).pipe(process.stdout);
