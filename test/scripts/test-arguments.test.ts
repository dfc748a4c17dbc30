/** Which tests `npm run test:only` runs: what its arguments mean, and that nothing passes for having run no test. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

interface Problem {
  readonly problem: string;
}

interface Arguments {
  readonly asked: readonly string[];
  readonly names: readonly string[];
  readonly watch: boolean;
  readonly help: boolean;
}

/** What the script uses, which is no part of dist/. */
interface TestArguments {
  readonly parseTestArguments: (argv: readonly string[]) => Arguments | Problem;
  readonly chooseTestFiles: (
    asked: readonly string[],
    files: readonly string[],
    root: string,
  ) => { readonly chosen: readonly string[] } | Problem;
  readonly namePattern: (text: string) => RegExp;
}

const { parseTestArguments, chooseTestFiles, namePattern } = (await import(
  pathToFileURL(resolve('scripts/test-arguments.mjs')).href
)) as TestArguments;

const LONG = 'test/long/chaos.test.ts';
const FILES = [
  'test/nn/tape.test.ts',
  'test/run/journal/journal-format.test.ts',
  'test/run/journal/journal-space.test.ts',
  'test/run/model/model-spec.test.ts',
  'test/worker/run/tape-worn.test.ts',
];
const JOURNAL = FILES.slice(1, 3);

const CHOICES: readonly (readonly [why: string, asked: readonly string[], chosen: readonly string[]])[] = [
  ['nothing means all tests but the long ones', [], FILES],
  ['the long ones are asked for', ['test/long'], [LONG]],
  ['the path of a source', ['test/nn/tape.test.ts'], ['test/nn/tape.test.ts']],
  ['the path of a compiled file', ['dist/test/nn/tape.test.js'], ['test/nn/tape.test.ts']],
  ['the path below the root', ['/project/test/nn/tape.test.ts'], ['test/nn/tape.test.ts']],
  ['a folder', ['test/run/journal'], JOURNAL],
  ['a folder with a slash at its end', ['./test/run/journal/'], JOURNAL],
  ['a folder below test/, not one of the same name further below', ['run'], FILES.slice(1, 4)],
  ['the folder of compiled tests', ['dist/test/run/journal'], JOURNAL],
  ['all of test/', ['test'], [LONG, ...FILES]],
  ['a part of a name', ['journal-f'], JOURNAL.slice(0, 1)],
  ['several, each file once, sorted', ['model', 'journal', 'model-spec'], FILES.slice(1, 4)],
];

for (const [why, asked, chosen] of CHOICES) {
  test(`test files are chosen by: ${why}`, () => {
    assert.deepEqual(chooseTestFiles(asked, [LONG, ...FILES], '/project'), { chosen });
  });
}

test('a file that matches nothing is a problem, which names similar files', () => {
  const { problem } = chooseTestFiles(['nn', 'jurnal-space'], FILES, '/project') as Problem;
  assert.equal(
    problem,
    'no test file matches jurnal-space; similar files: test/run/journal/journal-space.test.ts',
  );
});

test('where no file is similar, the problem names the folders', () => {
  const { problem } = chooseTestFiles(['optimiser'], FILES, '/project') as Problem;
  assert.equal(problem, 'no test file matches optimiser; there are test/nn, test/run, test/worker');
});

test('files, names and --watch come in any order', () => {
  const expected = { asked: ['a', 'b'], names: ['one', 'two words'], watch: true, help: false };
  assert.deepEqual(parseTestArguments(['a', '--name', 'one', '--watch', 'b', '--name=two words']), expected);
});

for (const argv of [['--name'], ['--name='], ['a', '--frob'], ['-x']]) {
  test(`${argv.join(' ')} is a problem`, () => {
    assert.match((parseTestArguments(argv) as Problem).problem, /^(--name needs|there is no option -)/);
  });
}

test('a name means its letters, between slashes a regular expression', () => {
  assert.match('Ring (of 2) sums', namePattern('ring (OF 2)'));
  assert.doesNotMatch('ring of 2', namePattern('ring (of 2)'));
  assert.match('ring of 22', namePattern('/of 2+$/'));
  assert.doesNotMatch('RING', namePattern('/ring/'));
});

/** As a developer starts it; inside of a test run Node's runner would take itself for a part of that. */
function testOnly(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  return spawnSync(process.execPath, ['scripts/test.mjs', ...args], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
}

test('only tests with the wanted name run and are shown', () => {
  const { status, stdout } = testOnly('test/numbers/philox.test.ts', '--name', 'written at the given');
  assert.equal(status, 0, stdout);
  assert.match(stdout, /written at the given/);
  assert.doesNotMatch(stdout, /a change of one bit/);
  assert.doesNotMatch(stdout, /does not match pattern/);
});

test('a name that no test has is a failure', () => {
  const { status, stdout } = testOnly('test/numbers/philox.test.ts', '--name', 'no such name');
  assert.equal(status, 1, stdout);
  assert.match(stdout, /no test of these files has a name with "no such name"/);
});
