/** What npm packs, and what a program gets that imports the package by its name. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Manifest {
  readonly exports: { readonly '.': { readonly types: string; readonly default: string } };
  readonly types: string;
}

const options = { encoding: 'utf8', timeout: 60_000 } as const;

test('the package holds the compiled library, the command and the sources of the kernels, and nothing else', () => {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const [packed] = JSON.parse(execFileSync('npm', args, options)) as {
    readonly files: readonly { readonly path: string }[];
  }[];
  const paths = packed!.files.map(({ path }) => path);
  for (const path of [
    'bin/vitrail',
    'dist/src/cli.js',
    'dist/src/index.js',
    'native/build.mjs',
    'docs/library.md',
  ])
    assert.ok(paths.includes(path), `${path} is not packed`);
  const others = /^(test|bench|scripts|src|runs|dist\/(test|bench|scripts)|native\/build)\/|\.map$/;
  assert.deepEqual(
    paths.filter((path) => others.test(path)),
    [],
  );
});

test('a program that imports vitrail gets its six functions and the class of its errors', () => {
  const program = "import * as vitrail from 'vitrail'; console.log(Object.keys(vitrail).join(' '))";
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], options);
  assert.equal(said.trim(), 'VitrailError evaluate openTrainedModel predict runCoordinator runWorker train');
});

test('types are declared where the code lies, and the project of the package declares them', () => {
  const { exports, types } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
  assert.equal(exports['.'].types, types);
  assert.equal(types.replace(/\.d\.ts$/, '.js'), exports['.'].default);
  assert.ok(existsSync(exports['.'].default));
  const project = readFileSync('tsconfig.package.json', 'utf8');
  assert.match(project, /"declaration": true/);
});
