/** A command that is asked for by its name is loaded alone; what is no command shows all. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.js';

const names = async (wanted?: string): Promise<string[]> =>
  (await createProgram(wanted)).commands.map((command) => command.name());

test('every command is there under its own name, without the others', async () => {
  const all = await names();
  assert.ok(all.length >= 15 && new Set(all).size === all.length, all.join(' '));
  for (const name of all) {
    const loaded = await names(name);
    assert.ok(loaded.includes(name), name);
    assert.ok(loaded.length <= 2, `${name} comes with ${loaded.join(' ')}`);
  }
});

test('a typing error, a flag or nothing at all has all commands to be told of', async () => {
  const all = await names();
  for (const wanted of ['tarin', '--help', 'help']) assert.deepEqual(await names(wanted), all);
});
