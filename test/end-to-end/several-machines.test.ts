/** The commands of docs/several-machines.md as they stand there, on three machines that are network namespaces. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { cli, ENDLESS, SMALL_RUN, smallDataset, startCli, temporaryFolder, type CliRun } from './cli-run.js';
import { missing, nameMachines, network, onMachine } from './namespaces.js';

const page = readFileSync('docs/several-machines.md', 'utf8');
const blocks = [...page.matchAll(/^```(\w+) (\S+)\n([\s\S]*?)^```$/gm)].map(([, , where, text]) => ({
  where: where!,
  text: text!,
}));

const skip = missing();
const folder = temporaryFolder();
let data = '';

before(async () => {
  writeFileSync(`${folder.path}/run.yaml`, optionsOfThePage());
  data = await smallDataset(folder.path);
});

after(() => folder.remove());

function optionsOfThePage(): string {
  const found = blocks.filter(({ where }) => where === 'run.yaml');
  assert.equal(found.length, 1);
  return found[0]!.text;
}

/** The one command of `name` on `machine` that the page has, without `npx vitrail`, with the images of this test. */
function command(name: string, machine: string): string[] {
  const found = blocks.filter(
    ({ where, text }) => where === machine && `${text.trim()} `.startsWith(`npx vitrail ${name} `),
  );
  assert.equal(found.length, 1, `${name} on ${machine}`);
  return found[0]!.text.replaceAll('/data/images', data).trim().split(/\s+/).slice(2);
}

interface Machines {
  readonly start: (machine: number, args: readonly string[]) => CliRun;
  /** Runs a script of Node there. @returns what it prints */
  readonly node: (machine: number, script: string) => Promise<string>;
}

function machines(t: TestContext): Machines {
  const runs: CliRun[] = [];
  // Before the network goes: it lasts as long as a process in it.
  t.after(async () => {
    for (const { child } of runs) child.kill('SIGKILL');
    for (const { done } of runs) await done;
  });
  const { names: spaces } = network(t, 3);
  const names = nameMachines(t, spaces);
  const on = (machine: number) => onMachine(spaces[machine]!, names[machine]!, folder.path);
  const start = (machine: number, args: readonly string[]): CliRun => {
    const run = startCli(args, {}, on(machine));
    runs.push(run);
    return run;
  };
  const node = async (machine: number, script: string): Promise<string> => {
    const wrapper = [...on(machine), process.execPath, '--input-type=module', '-e', script, '--'];
    const { code, stdout, stderr } = await startCli([], {}, wrapper).done;
    assert.equal(code, 0, stderr);
    return stdout;
  };
  return { start, node };
}

interface Target {
  readonly targets: readonly string[];
  readonly labels: { readonly worker: string; readonly host: string };
}

/** What a Prometheus on `machine` finds: whose pages it can read, by their labels. */
async function found({ node }: Machines, machine: number): Promise<string[]> {
  const script = `const groups = await (await fetch('http://node0:9464/discovery')).json();
    for (const { targets: [target] } of groups) {
      const text = await (await fetch('http://' + target + '/metrics')).text();
      if (!text.includes('vitrail_worker_samples_total')) throw new Error(target);
    }
    console.log(JSON.stringify(groups));`;
  const groups = JSON.parse(await node(machine, script)) as Target[];
  return groups.map(({ labels }) => `worker ${labels.worker} on ${labels.host}`).sort();
}

/** Starts what the page says, small and long. */
async function started(on: Machines, ...flags: string[]) {
  const small = [...SMALL_RUN, ...ENDLESS, '--checkpoint-every-steps', '0'];
  const coordinator = on.start(0, [...command('coordinator', 'node0'), ...small, ...flags]);
  await coordinator.seen(/waiting for 2 workers: vitrail worker --coordinator tcp:\/\/10\.[\d.]+:7070/);
  const workers: CliRun[] = [];
  for (const machine of [1, 2]) {
    workers.push(on.start(machine, command('worker', `node${machine}`)));
    // One after the other, so that their places are known.
    await coordinator.seen(new RegExp(`worker \\d+ on node${machine} is ready \\(cpu, `));
  }
  await coordinator.seen(/vit-micro\/16 .* 2 workers/);
  return { coordinator, workers };
}

async function stopped(coordinator: CliRun, workers: readonly CliRun[]): Promise<void> {
  coordinator.child.kill('SIGTERM');
  assert.equal((await coordinator.done).code, 143);
  for (const worker of workers) await worker.done;
}

test("the page's options are a run's", async () => {
  const options = parse(optionsOfThePage()) as Record<string, unknown>;
  const given = ['coordinator', '--data', data, '--config', `${folder.path}/run.yaml`, '--print-config'];
  const { code, stdout, stderr } = await cli(...given);
  assert.equal(code, 0, stderr);
  const printed = parse(stdout) as Record<string, unknown>;
  for (const [key, value] of Object.entries(options)) assert.equal(printed[key], value, key);
});

test('Prometheus is shipped for the port that the page opens', () => {
  const config = readFileSync('deploy/prometheus/prometheus.yml', 'utf8');
  const port = /--http-listen 0\.0\.0\.0:(\d+)/.exec(command('coordinator', 'node0').join(' '))?.[1];
  assert.deepEqual(
    [...config.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, used]) => used),
    [port, port],
  );
});

test(
  'a run as the page has it is seen from every machine, and its series go on when it is resumed',
  { skip },
  async (t) => {
    const on = machines(t);
    const first = await started(on);
    await first.coordinator.seen(/worker 0 joined from node1 \(pid \d+\)/);
    const inFolder = await on.start(0, command('status runs/big', 'node0')).done;
    assert.match(inFolder.stdout, /^big: \d+ steps? committed, .*2 workers/);
    const byAddress = await on.start(2, command('status --coordinator', 'node2')).done;
    assert.match(byAddress.stdout, /^big: \d+ steps? committed, .*2 workers/);
    // On another machine that has the folder, by a shared disk.
    const elsewhere = await on.start(1, command('status runs/big', 'node0')).done;
    assert.match(elsewhere.stdout, /^big: \d+ steps? committed, .*2 workers/);
    assert.deepEqual(await found(on, 2), ['worker 0 on node1', 'worker 1 on node2']);
    const ports = `import { connect } from 'node:net'; import { once } from 'node:events';
    for (const port of [7100, 7101, 9465]) { const s = connect(port, 'node1'); await once(s, 'connect'); s.destroy(); }`;
    await on.node(2, ports);
    await stopped(first.coordinator, first.workers);

    const second = await started(on, '--resume');
    assert.deepEqual(await found(on, 0), ['worker 0 on node1', 'worker 1 on node2']);
    await stopped(second.coordinator, second.workers);
    const after = await on.start(1, command('status runs/big', 'node0')).done;
    assert.match(after.stdout, /^runs\/big: ended: stopped by SIGTERM/);
  },
);

test(
  'where the page cannot be asked from another machine the lease of the run folder tells',
  { skip },
  async (t) => {
    const on = machines(t);
    const own = ['coordinator', '--data', data, '--out', 'runs/own', ...SMALL_RUN];
    const coordinator = on.start(0, own);
    await coordinator.seen(/waiting for 1 worker:/);
    const there = await on.start(1, ['status', 'runs/own']).done;
    assert.match(there.stdout, /^runs\/own: running: process \d+ on node0 has the run folder/);
    coordinator.child.kill('SIGKILL');
    await coordinator.done;
    const here = await on.start(0, ['status', 'runs/own']).done;
    assert.match(here.stdout, /interrupted: its page at 127\.0\.0\.1:\d+: nothing listens there/);
  },
);

test(
  'a worker says which name does not resolve, and which folder its machine does not have',
  { skip },
  async (t) => {
    const on = machines(t);
    const nameless = on.start(1, [
      'worker',
      '--coordinator',
      'tcp://node9:7070',
      '--connect-timeout-ms',
      '100',
    ]);
    const { code, stderr } = await nameless.done;
    assert.equal(code, 1);
    assert.match(stderr, /HOST_UNRESOLVED: the host name node9 does not resolve/);
    const listen = ['--listen', 'tcp://0.0.0.0:7070', '--workers', '1'];
    const coordinator = on.start(0, [
      'coordinator',
      '--data',
      'data',
      '--out',
      'runs/relative',
      ...SMALL_RUN,
      ...listen,
    ]);
    await coordinator.seen(/waiting for 1 worker:/);
    // The coordinator's path is relative, and the worker is started elsewhere: the whole path is looked for.
    const worker = on.start(1, ['worker', '--coordinator', 'tcp://node0:7070']);
    await coordinator.seen(/worker 0 on node1 is ready/);
    await coordinator.done;
    assert.equal((await worker.done).code, 0);
  },
);
