// Generates the protocol code from proto/, compiles TypeScript to dist/ and copies what tsc does not.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PROTO = 'proto/vitrail.proto';
const GENERATED = 'src/shared/protocol/generated';

function run(bin, args) {
  const result = spawnSync(process.execPath, [`node_modules/${bin}`, ...args], { stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    console.error(`${bin} failed`);
    process.exit(result.status ?? 1);
  }
}

function generateProtocol() {
  const js = `${GENERATED}/vitrail.js`;
  const types = `${GENERATED}/vitrail.d.ts`;
  if (existsSync(types) && statSync(types).mtimeMs > statSync(PROTO).mtimeMs) return;
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
  run('protobufjs-cli/bin/pbjs', [...flags, '-o', js, PROTO]);
  run('protobufjs-cli/bin/pbts', ['-o', types, js]);
}

export function build() {
  generateProtocol();
  run('typescript/bin/tsc', ['-p', 'tsconfig.json']);
  mkdirSync(`dist/${GENERATED}`, { recursive: true });
  cpSync(`${GENERATED}/vitrail.js`, `dist/${GENERATED}/vitrail.js`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
