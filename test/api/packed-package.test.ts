/** The package that npm makes of a clean clone, installed in an empty project elsewhere: its types, programs, command. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { drawDataset } from '../../src/demo/drawn-dataset.js';
import { loadKernels } from '../../src/kernels/addon.js';

const folder = mkdtempSync(join(tmpdir(), 'vitrail-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const [clone, project] = [join(folder, 'clone'), join(folder, 'project')];
const OBJECTS = resolve('native/build/release');

/** Runs a command, which must not fail. @returns what it wrote to stdout */
function run(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const all = Object.assign({}, process.env, { NO_COLOR: '1', NODE_V8_COVERAGE: '' }, env);
  const options = { cwd, env: all, encoding: 'utf8', timeout: 280_000 } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
  return stdout;
}

/** What git would commit, with the packages that a clone installs. */
function makeClone(): void {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
  for (const file of execFileSync('git', args, { encoding: 'utf8' }).split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(file, join(clone, file));
  }
  symlinkSync(resolve('node_modules'), join(clone, 'node_modules'));
}

/** @returns the path of the package */
function pack(): string {
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', folder];
  const said = run(clone, 'npm', args);
  const [packed] = JSON.parse(said.slice(said.indexOf('[\n'))) as {
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[];
  const { filename, files } = packed!;
  const paths = files.map(({ path }) => path);
  for (const path of [
    ...['bin/vitrail', 'dist/src/program/cli.js', 'dist/src/index.js', 'dist/src/index.d.ts'],
    ...['dist/src/wire/generated/vitrail.js', 'proto/vitrail.proto', 'native/build.mjs', 'docs/library.md'],
  ])
    assert.ok(paths.includes(path), `${path} is not packed`);
  const others = /^(test|bench|scripts|src|runs|dist\/(test|bench|scripts)|native\/build)\/|\.map$/;
  assert.deepEqual(
    paths.filter((path) => others.test(path)),
    [],
  );
  return join(folder, filename);
}

/** The kernels are linked there; their objects come from here, where digests say that they are the same. */
function install(path: string): void {
  mkdirSync(project);
  const manifest = { name: 'elsewhere', private: true, type: 'module' };
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  const kernels = loadKernels().kernels !== undefined;
  const portable = kernels && readdirSync(OBJECTS).some((name) => name.endsWith('.PORTABLE.o'));
  const env = { VITRAIL_OBJECTS: OBJECTS, VITRAIL_LEVELS: portable ? 'runnable' : 'best' };
  run(project, 'npm', ['install', path, '--prefer-offline', '--no-audit', '--no-fund'], env);
  if (!kernels) return;
  const built = readdirSync(join(project, 'node_modules/vitrail/native/build'));
  assert.ok(built.includes('vitrail.node'), `no kernels were built: ${built.join(' ')}`);
}

/** The programs of docs/library.md, as files of the project. */
function writeExamples(): void {
  const programs = [...readFileSync('docs/library.md', 'utf8').matchAll(/```ts\n(.*?)```/gs)];
  assert.ok(programs.length >= 5, `${programs.length} programs`);
  programs.forEach(([, program], i) => writeFileSync(join(project, `example-${i}.ts`), program!));
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2022',
    types: [],
    skipLibCheck: true,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
}

test('a package that is packed in a clean clone works in an empty project elsewhere', async () => {
  makeClone();
  install(pack());
  writeExamples();
  run(project, process.execPath, [resolve('node_modules/typescript/bin/tsc')]);

  await drawDataset(join(project, 'shapes'), { seed: 1, trainPerClass: 8, testPerClass: 2 });
  const said = run(project, process.execPath, ['example-0.js']);
  assert.match(said, /^step 0: loss \d/m);
  const digest = /^finished ([0-9a-f]{64})$/m.exec(said)?.[1];
  assert.equal(
    run(project, 'npx', ['--no', 'vitrail', 'digest', 'runs/vitrail']).split(' ')[0],
    digest,
    said,
  );
  // The demo takes images that are there already; its own 1,920 would take most of this test's time.
  cpSync(join(project, 'shapes'), join(project, 'runs/demo/shapes'), { recursive: true });
  const demo = run(project, 'npx', ['--no', 'vitrail', 'demo', '--epochs', '1', '--workers', '1']);
  assert.match(demo, /test accuracy|top-1/);
});
