import assert from 'node:assert/strict';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runConfigSchema } from '../../src/run/config/schema.js';
import { compose, DEPLOY } from './deploy-files.js';

const { services, volumes } = compose();
const text = readFileSync(`${DEPLOY}/docker-compose.yml`, 'utf8');
const environment = readFileSync(`${DEPLOY}/.env.example`, 'utf8');
const script = readFileSync(`${DEPLOY}/start-coordinator.sh`, 'utf8');
const dockerfile = readFileSync(`${DEPLOY}/Dockerfile`, 'utf8');

const coordinatorFlags = Object.keys(runConfigSchema.shape).map(
  (key) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
);

function flags(line: string): string[] {
  return line.match(/(?<![\w-])--[a-z][\w-]*/g) ?? [];
}

test('what compose mounts exists: a path of the repository, or a volume that is declared', () => {
  for (const [name, { volumes: mounts = [] }] of Object.entries(services)) {
    for (const mount of mounts) {
      if (mount.startsWith('${')) continue;
      const source = mount.split(':')[0]!;
      const known = source.startsWith('.') ? existsSync(join(DEPLOY, source)) : source in volumes;
      assert.ok(known, `${name} mounts ${source}`);
    }
  }
});

test('what compose builds and copies exists', () => {
  for (const name of ['coordinator', 'worker']) {
    const { context, dockerfile: file } = services[name]!.build!;
    assert.ok(existsSync(join(DEPLOY, context, file)));
  }
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from]) =>
    from!.split(' '),
  );
  assert.ok(copies.length > 0);
  const sent = readFileSync(`${DEPLOY}/Dockerfile.dockerignore`, 'utf8').split('\n');
  for (const path of copies) {
    assert.ok(existsSync(path), path);
    assert.ok(sent.includes(`!${path}`), `${path} is not sent to the builder`);
  }
});

test('the image gets every file that its build imports', () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, from]) =>
    from!.split(' '),
  );
  const pending = ['scripts/build.mjs'];
  for (const file of pending) {
    assert.ok(
      copied.some((path) => file.startsWith(`${path}/`)),
      `${file} is imported, not copied`,
    );
    const imports = readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g);
    for (const [, path] of imports) {
      const imported = join(dirname(file), path!);
      if (!pending.includes(imported)) pending.push(imported);
    }
  }
  assert.ok(pending.length > 2);
});

test('variables without a default are in the example, and the example has no others', () => {
  const used = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name!));
  const given = new Set([...environment.matchAll(/^(\w+)=/gm)].map(([, name]) => name!));
  assert.deepEqual([...given].sort(), [...used].sort());
});

test('the start script is executable, gets the variables it needs and passes flags that exist', () => {
  accessSync(`${DEPLOY}/start-coordinator.sh`, constants.X_OK);
  const code = script.replace(/^#.*$/gm, '').replace(/^\s+#.*$/gm, '');
  const given = Object.keys(services['coordinator']!.environment!);
  const used = [...code.matchAll(/\$(VITRAIL_\w+)/g)].map(([, name]) => name!);
  assert.deepEqual([...new Set(used)].sort(), given.sort());
  const passed = [...flags(code), ...flags(/^VITRAIL_OPTIONS=(.*)$/m.exec(environment)![1]!)];
  assert.ok(passed.length > 5);
  for (const flag of passed) assert.ok(coordinatorFlags.includes(flag), flag);
});

test('workers connect to the address where the coordinator listens, and see the same data', () => {
  const { worker, coordinator } = services;
  const command = worker!.command!;
  const after = (flag: string): string | undefined => command[command.indexOf(flag) + 1];
  assert.equal(after('--coordinator'), coordinator!.environment!['VITRAIL_LISTEN']);
  const dataMount = (mounts: readonly string[]): string => mounts.find((m) => m.includes('VITRAIL_DATA'))!;
  assert.equal(dataMount(worker!.volumes!), dataMount(coordinator!.volumes!));
  assert.match(dataMount(worker!.volumes!), new RegExp(`:${after('--data')!}:ro$`));
});

test('the coordinator stops before its workers, so that a checkpoint can be written', () => {
  assert.deepEqual(services['coordinator']!.depends_on, ['worker']);
  assert.equal(services['worker']!.depends_on, undefined);
});
