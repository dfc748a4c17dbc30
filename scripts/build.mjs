// Generates the protocol code from proto/, compiles TypeScript to dist/, copies what tsc does not and bundles the programs; meanwhile builds
// the native kernels, and those for CUDA where its toolkit is.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryBuildNative } from '../native/build.mjs';
import { tryBuildCuda } from '../native/build-cuda.mjs';
import { noteBuilt } from './build-state.mjs';
import { bundle } from './bundle.mjs';

const PROTO = 'proto/vitrail.proto';
const GENERATED = 'src/wire/generated';

async function run(bin, args) {
  const child = spawn(process.execPath, [`node_modules/${bin}`, ...args], { stdio: ['ignore', 2, 2] });
  const status = await new Promise((done) => child.once('close', done));
  if (status !== 0) {
    console.error(`${bin} failed`);
    process.exit(status ?? 1);
  }
}

async function generateProtocol() {
  const js = `${GENERATED}/vitrail.js`;
  const types = `${GENERATED}/vitrail.d.ts`;
  // Compares by content, because a checkout of another version gives files new times in any order.
  const stamp = `${GENERATED}/proto.digest`;
  const digest = createHash('sha256').update(readFileSync(PROTO)).digest('hex');
  if (existsSync(types) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  mkdirSync(GENERATED, { recursive: true });
  const flags = [
    '-t',
    'static-module',
    '-w',
    'es6',
    '--es6',
    '--force-number',
    '--no-service',
    '--no-verify',
  ];
  await run('protobufjs-cli/bin/pbjs', [...flags, '-o', js, PROTO]);
  await run('protobufjs-cli/bin/pbts', ['-o', types, js]);
  writeFileSync(stamp, digest);
}

/** Removes the output of files that no longer exist. Otherwise a test that was moved would run twice. */
function removeOrphans() {
  for (const area of ['src', 'test', 'bench', 'scripts']) {
    const folder = join('dist', area);
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder, { recursive: true })) {
      const source = /^(.*?)(\.d\.ts|\.js)(\.map)?$/.exec(name)?.[1];
      if (source === undefined) continue;
      const path = join(area, source);
      if (!existsSync(`${path}.ts`) && !existsSync(`${path}.js`)) rmSync(join(folder, name));
    }
  }
}

/** @param project the package's project also writes declarations, which refer to those of the protocol */
export async function compile(project = 'tsconfig.json') {
  removeOrphans();
  await generateProtocol();
  await run('typescript/bin/tsc', ['-p', project]);
  mkdirSync(`dist/${GENERATED}`, { recursive: true });
  for (const file of ['vitrail.js', 'vitrail.d.ts'])
    cpSync(`${GENERATED}/${file}`, `dist/${GENERATED}/${file}`);
  await bundle();
  writeHelp();
}

/** Writes what `vitrail --help` prints, for bin/vitrail. */
function writeHelp() {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/src/program/cli.js', '--help'], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', NODE_V8_COVERAGE: '' },
  });
  if (status !== 0) throw new Error(`vitrail --help ended with ${status}: ${stderr}`);
  writeFileSync('dist/src/help.txt', stdout);
}

async function buildKernels() {
  await tryBuildNative();
  await tryBuildCuda();
}

export async function build() {
  if (!existsSync('dist/.tsbuildinfo')) console.error('compiling TypeScript, meanwhile:');
  await Promise.all([buildKernels(), compile()]);
  noteBuilt();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
