/** `~` at the start of a path is the home folder, wherever paths come in. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { resolveRunOptions } from '../../src/api/run-options.js';
import { COMMANDS } from '../../src/cli/command-list.js';
import { createProgram } from '../../src/cli/program.js';
import { expandHome } from '../../src/run/config/home-path.js';
import { OPTION_KEYS } from '../../src/run/config/option-name.js';
import { optionMeta } from '../../src/run/config/schema.js';

/** What Python's os.path.expanduser gives with HOME as named. */
const EXPANDED = [
  ['~', '/home/ada', '/home/ada'],
  ['~/runs/first', '/home/ada', '/home/ada/runs/first'],
  ['~/runs/first', '/home/ada/', '/home/ada/runs/first'],
  ['~//x', '/home/ada', '/home/ada//x'],
  ['~', '/', '/'],
  ['~/x', '/', '/x'],
  ['a/~/b', '/home/ada', 'a/~/b'],
  ['./~', '/home/ada', './~'],
  ['/~', '/home/ada', '/~'],
  ['x~', '/home/ada', 'x~'],
] as const;

test('a path is what Python makes of it', () => {
  for (const [path, home, meant] of EXPANDED)
    assert.equal(expandHome(path, home), meant, `${path} of ${home}`);
});

test("another user's home folder is refused, and how to write a name that begins with ~ is said", () => {
  assert.throws(() => expandHome('~grace/runs', '/home/ada'), {
    code: 'PATH_OF_HOME',
    message: /~grace\/runs means: the home folder of "grace" is not looked up.*\.\/~grace\/runs/,
  });
  assert.throws(() => expandHome('~/runs', ''), { code: 'PATH_OF_HOME', message: /HOME is empty/ });
});

test('every option that is a path is expanded, from flags and from a file', async () => {
  const paths = OPTION_KEYS.filter((key) => optionMeta(key).path);
  assert.deepEqual(paths, ['data', 'exclude', 'initFrom', 'out', 'productChoices']);
  const given = Object.fromEntries(paths.map((key) => [key, `~/${key}`]));
  const flags = await resolveRunOptions({ ...given, initFrom: undefined });
  for (const key of paths.filter((path) => path !== 'initFrom'))
    assert.equal(flags[key], join(homedir(), key));
  // Weights are opened, and there are none.
  await assert.rejects(resolveRunOptions(given), {
    code: 'CHECKPOINT_NOT_FOUND',
    message: new RegExp(`no checkpoint at ${join(homedir(), 'initFrom')} `),
  });

  const folder = mkdtempSync(join(tmpdir(), 'vitrail-home-'));
  try {
    const config = join(folder, 'run.yaml');
    writeFileSync(config, 'data: ~/photos\nout: ~/runs/first\n');
    const read = await resolveRunOptions({ config });
    assert.deepEqual([read.data, read.out], [join(homedir(), 'photos'), join(homedir(), 'runs/first')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

type Parse = (text: string, before: unknown) => unknown;

function commandsOf(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(commandsOf)];
}

test('every flag and argument of every command that is a file or folder is expanded', async () => {
  const found: string[] = [];
  const programs = await Promise.all(COMMANDS.map(async ({ name }) => createProgram([name])));
  for (const command of programs.flatMap(commandsOf)) {
    for (const { name, parse } of [
      ...command.options.map((option) => ({ name: option.flags, parse: option.parseArg })),
      ...command.registeredArguments.map((each) => ({ name: `<${each.name()}>`, parse: each.parseArg })),
    ]) {
      if (!/<(?:file|folder|path|checkpoint|image|run)>/.test(name)) continue;
      found.push(`${command.name()} ${name}`);
      const value = [(parse as Parse | undefined)?.('~/x', undefined)].flat()[0];
      assert.equal(value, join(homedir(), 'x'), `${command.name()} ${name}`);
    }
  }
  for (const known of ['evaluate <checkpoint>', 'predict <image>', 'status <run>', 'train --config <file>']) {
    assert.ok(found.includes(known), `${known} in ${found.join('; ')}`);
  }
});

test('several images after another are all expanded', async () => {
  const program = await createProgram(['predict']);
  const predict = program.commands.find((command) => command.name() === 'predict')!;
  let images: unknown;
  predict.action((_checkpoint, given: unknown) => {
    images = given;
  });
  await program.parseAsync(['predict', 'runs/first', '~/a.jpg', 'b.jpg', '~/c.jpg'], { from: 'user' });
  assert.deepEqual(images, [join(homedir(), 'a.jpg'), 'b.jpg', join(homedir(), 'c.jpg')]);
});
