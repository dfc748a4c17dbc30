/** What a program gets that imports the package by its name. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Manifest {
  readonly exports: { readonly '.': { readonly types: string; readonly default: string } };
  readonly types: string;
}

const options = { encoding: 'utf8', timeout: 60_000 } as const;

test('a program that imports vitrail gets its functions and the class of its errors', () => {
  const program = "import * as vitrail from 'vitrail'; console.log(Object.keys(vitrail).join(' '))";
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', program], options);
  const names = [
    ...['VitrailError', 'chaos', 'checkData', 'coordinatorStatus', 'digest', 'evaluate'],
    ...['exportModel', 'fit'],
    ...['openTrainedModel', 'predict', 'runCoordinator', 'runStatus', 'runWorker', 'train', 'tune'],
    'writeExclusion',
  ];
  assert.deepEqual(said.trim().split(' '), names);
});

test('types are declared where the code lies, and the project of the package declares them', () => {
  const { exports, types } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
  assert.equal(exports['.'].types, types);
  assert.equal(types.replace(/\.d\.ts$/, '.js'), exports['.'].default);
  assert.ok(existsSync(exports['.'].default));
  const project = readFileSync('tsconfig.package.json', 'utf8');
  assert.match(project, /"declaration": true/);
});
