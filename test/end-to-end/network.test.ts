/** Workers in network namespaces: a link that goes down and comes back, one that drops packets, a slow one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder, type CliRun } from './cli-run.js';
import { missing, must, network, NETWORK, tried } from './namespaces.js';

const skip = missing();
const folder = temporaryFolder();
let data = '';
let reference = '';

const FLAGS = [
  ...SMALL_RUN,
  '--suspect-after-ms',
  '500',
  '--heartbeat-timeout-ms',
  '2000',
  '--ring-timeout-ms',
  '3000',
];

before(async () => {
  if (skip !== false) return;
  data = await smallDataset(folder.path);
  const { stdout } = await cli('train', '--data', data, '--out', `${folder.path}/clean`, '--json', ...FLAGS);
  reference = (JSON.parse(stdout) as { weightDigest: string }).weightDigest;
});

after(() => folder.remove());

async function startRun(name: string, names: readonly string[], ...flags: string[]) {
  const listen = ['--listen', `tcp://${NETWORK}.1:0`, '--workers', String(names.length)];
  const args = ['--data', data, '--out', `${folder.path}/${name}`, '--json', ...FLAGS, ...listen, ...flags];
  const coordinator = startCli(['coordinator', ...args]);
  const address = (await coordinator.seen(/tcp:\/\/10\.[\d.]+:\d+/)).trim();
  const workers = names.map((space) => {
    return startCli(['worker', '--coordinator', address], {}, ['ip', 'netns', 'exec', space]);
  });
  return { coordinator, workers };
}

async function assertSameWeights(coordinator: CliRun, workers: readonly CliRun[]): Promise<void> {
  const { code, stdout, stderr } = await coordinator.done;
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { weightDigest: string }).weightDigest, reference);
  for (const worker of workers) {
    const { code: workerCode, stderr: log } = await worker.done;
    assert.equal(workerCode, 0, log);
  }
}

test(
  'a link that goes down and comes back costs a worker its place, and it takes a new one',
  { skip },
  async (t) => {
    const { names, links } = network(t, 2);
    const { coordinator, workers } = await startRun('down', names);
    await coordinator.seen(/epoch 1 /);
    must('ip', 'link', 'set', links[0]!, 'down');
    await coordinator.seen(/was lost .*silent/);
    must('ip', 'link', 'set', links[0]!, 'up');
    await assertSameWeights(coordinator, workers.slice(1));
    const kinds = logLines(`${folder.path}/down`, 'cluster').map((line) => line['kind']);
    assert.ok(kinds.includes('suspected') && kinds.includes('lost'));
    // Too late for this run or not, it ends when it is asked to.
    workers[0]!.child.kill('SIGTERM');
    const back = await workers[0]!.done;
    // One that is ending by itself just then may be ended by the signal.
    const end = back.code ?? workers[0]!.child.signalCode;
    assert.ok([0, 143, 'SIGTERM'].includes(end ?? 'unknown'), `${end}: ${back.stderr}`);
  },
);

test('a link that drops one packet in twenty changes nothing but the time', { skip }, async (t) => {
  if (!tried('nft', '--version')) {
    t.skip('it needs nftables');
    return;
  }
  const { names } = network(t, 2);
  const rules = `add table inet t; add chain inet t in { type filter hook input priority 0; };
    add rule inet t in iifname "eth0" numgen random mod 100 < 5 drop`;
  must('ip', 'netns', 'exec', names[0]!, 'nft', rules);
  const { coordinator, workers } = await startRun('lossy', names);
  await assertSameWeights(coordinator, workers);
});

test('a link of 50 Mbit/s changes nothing but the time', { skip }, async (t) => {
  const { names } = network(t, 2);
  const shape = [
    'qdisc',
    'add',
    'dev',
    'eth0',
    'root',
    'tbf',
    'rate',
    '50mbit',
    'burst',
    '64kb',
    'latency',
    '200ms',
  ];
  if (!tried('ip', 'netns', 'exec', names[0]!, 'tc', ...shape)) {
    t.skip('this kernel has no tbf');
    return;
  }
  const { coordinator, workers } = await startRun('slow', names);
  await assertSameWeights(coordinator, workers);
});

test(
  'a broken link between two workers alone costs one of them its place, not the run',
  { skip },
  async (t) => {
    if (!tried('nft', '--version')) {
      t.skip('it needs nftables');
      return;
    }
    const { names } = network(t, 3);
    const { coordinator, workers } = await startRun('between', names, '--ring-timeout-ms', '1500');
    await coordinator.seen(/epoch 1 /);
    // Both still reach the coordinator and the third worker; a ring of three needs every link.
    const rules = `add table inet t; add chain inet t in { type filter hook input priority 0; };
    add rule inet t in ip saddr ${NETWORK}.3 drop`;
    must('ip', 'netns', 'exec', names[0]!, 'nft', rules);
    await assertSameWeights(coordinator, workers);
    const lines = logLines(`${folder.path}/between`, 'cluster') as { kind: string; text: string }[];
    const out = lines.filter(({ kind }) => kind === 'expelled').map(({ text }) => text);
    assert.equal(out.length, 1, out.join('; '));
    assert.match(out[0]!, /worker \d is not reached by its neighbour in the ring: it stays out for 30 s/);
    // Workers are numbered as they join; their addresses say who is behind the broken link.
    const steps = logLines(`${folder.path}/between`, 'step');
    const last = steps.at(-1) as { workers: { worker: number }[] };
    assert.equal(last.workers.length, 2);
    assert.deepEqual(
      steps.map((line) => line['step']),
      steps.map((_, i) => i),
    );
  },
);
