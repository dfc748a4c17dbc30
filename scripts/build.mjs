// Generates the protocol code from proto/, compiles TypeScript to dist/ and copies what tsc does not; meanwhile builds
// the native kernels, and those for CUDA where its toolkit is.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tryBuildNative } from '../native/build.mjs';
import { tryBuildCuda } from '../native/build-cuda.mjs';

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
  // By content: a checkout of another version gives files new times in any order.
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

async function compile() {
  await generateProtocol();
  await run('typescript/bin/tsc', ['-p', 'tsconfig.json']);
  mkdirSync(`dist/${GENERATED}`, { recursive: true });
  cpSync(`${GENERATED}/vitrail.js`, `dist/${GENERATED}/vitrail.js`);
}

async function buildKernels() {
  await tryBuildNative();
  await tryBuildCuda();
}

export async function build() {
  if (!existsSync('dist/.tsbuildinfo')) console.error('compiling TypeScript, meanwhile:');
  await Promise.all([buildKernels(), compile()]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
