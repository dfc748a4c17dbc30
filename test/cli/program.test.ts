/** A command that is asked for by its name is loaded alone; what is no command shows all, and loads none. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { COMMANDS } from '../../src/cli/command-list.js';
import { createProgram } from '../../src/cli/program.js';
import { COMMAND_LINE } from '../../src/host/programs.js';

const names = async (...words: string[]): Promise<string[]> =>
  (await createProgram(words)).commands.map((command) => command.name());

test('every command is there under its own name, without the others', async () => {
  const all = await names();
  assert.ok(all.length >= 15 && new Set(all).size === all.length, all.join(' '));
  for (const name of all) {
    const loaded = await names(name);
    assert.ok(loaded.includes(name), name);
    assert.ok(loaded.length <= 2, `${name} comes with ${loaded.join(' ')}`);
  }
});

test('for a misspelt name, a flag or nothing, all commands are listed', async () => {
  const all = await names();
  for (const wanted of ['tarin', '--help', 'help']) assert.deepEqual(await names(wanted), all);
  assert.ok((await names('help', 'predict')).includes('predict'));
});

test('the list of commands says of each what the command says of itself', async () => {
  for (const { name, usage, description } of COMMANDS) {
    const program = await createProgram([name]);
    const command = program.commands.find((one) => one.name() === name)!;
    assert.equal(`${name} ${usage}`.trim(), program.createHelp().subcommandTerm(command));
    assert.equal(description, command.description());
  }
});

test('the list of commands that was written when the package was built is the one that the command line prints', () => {
  const printed = (command: string, ...args: string[]): string =>
    spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, timeout: 60_000 })
      .stdout;
  const list = printed(process.execPath, COMMAND_LINE, '--help');
  assert.match(list, /Commands:/);
  for (const asked of ['--help', '-h', 'help']) assert.equal(printed(resolve('bin/vitrail'), asked), list);
  assert.match(printed(resolve('bin/vitrail'), 'help', 'predict'), /Usage: vitrail predict/);
});

/** A hook of Node's loader that writes down what is imported. */
const HOOK = `import { appendFileSync } from 'node:fs';
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED_MODULES, url + '\\n');
  return next(url, context);
}`;
const REGISTER = `import { register } from 'node:module';
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOK)}`)});`;

/** What the command line imports to answer `args`. */
function loadedBy(t: TestContext, ...args: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-loaded-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'loaded');
  const hook = ['--import', `data:text/javascript,${encodeURIComponent(REGISTER)}`];
  const env = { ...process.env, LOADED_MODULES: file };
  const options = { env, cwd: folder, encoding: 'utf8', timeout: 60_000 } as const;
  spawnSync(process.execPath, [...hook, resolve('dist/src/cli.js'), ...args], options);
  return readFileSync(file, 'utf8').trim().split('\n');
}

test('help loads no command, no option and no dependency but those that print it', (t) => {
  const loaded = loadedBy(t, '--help');
  const packages = loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  assert.deepEqual([...new Set(packages)].sort(), ['commander', 'picocolors']);
  const own = loaded.filter((url) => url.includes('/dist/src/'));
  assert.ok(own.length > 5 && own.length < 25, own.join('\n'));
});

test('a command that trains does not load what only its workers compute with', (t) => {
  const loaded = loadedBy(t, 'train', '--data', 'none', '--workers', '1');
  assert.ok(
    loaded.some((url) => url.endsWith('/coordinator/coordinator.js')),
    'nothing was loaded',
  );
  assert.deepEqual(
    loaded.filter((url) => /@tensorflow|\/worker\/worker\.js|\/sharp\//.test(url)),
    [],
  );
});
