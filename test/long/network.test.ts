/** Workers in network namespaces whose links are slow, drop packets, or are broken between two workers alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLines, slowSteps } from '../end-to-end/cli-run.js';
import { MachineRuns } from '../end-to-end/machine-runs.js';
import { must, network, NETWORK, tried } from '../end-to-end/namespaces.js';
import { LONG_RUN } from './long-run.js';

const runs = new MachineRuns(LONG_RUN);
const short = new MachineRuns();

test(
  'a link that drops one packet in twenty changes nothing but the time',
  { skip: runs.skip },
  async (t) => {
    if (!tried('nft', '--version')) {
      t.skip('it needs nftables');
      return;
    }
    const { names } = network(t, 2);
    const rules = `add table inet t; add chain inet t in { type filter hook input priority 0; };
    add rule inet t in iifname "eth0" numgen random mod 100 < 5 drop`;
    must('ip', 'netns', 'exec', names[0]!, 'nft', rules);
    const { coordinator, workers } = await runs.start('lossy', names);
    await runs.assertSameWeights(coordinator, workers);
  },
);

test('a link of 50 Mbit/s changes nothing but the time', { skip: runs.skip }, async (t) => {
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
  const { coordinator, workers } = await runs.start('slow', names);
  await runs.assertSameWeights(coordinator, workers);
});

test(
  'a broken link between two workers alone costs one of them its place, not the run',
  { skip: short.skip },
  async (t) => {
    if (!tried('nft', '--version')) {
      t.skip('it needs nftables');
      return;
    }
    const { names } = network(t, 3);
    const { coordinator, workers } = await short.start('between', names, {
      flags: ['--ring-timeout-ms', '1500'],
      faults: slowSteps(4, 2),
    });
    await coordinator.seen(/epoch 1 /);
    // Both still reach the coordinator and the third worker; a ring of three needs every link.
    const rules = `add table inet t; add chain inet t in { type filter hook input priority 0; };
    add rule inet t in ip saddr ${NETWORK}.3 drop`;
    must('ip', 'netns', 'exec', names[0]!, 'nft', rules);
    await short.assertSameWeights(coordinator, workers);
    const lines = logLines(short.runDir('between'), 'cluster') as { kind: string; text: string }[];
    const out = lines.filter(({ kind }) => kind === 'expelled').map(({ text }) => text);
    assert.equal(out.length, 1, out.join('; '));
    assert.match(out[0]!, /worker \d is not reached by its neighbour in the ring: it stays out for 30 s/);
    // Workers are numbered as they join; their addresses say who is behind the broken link.
    const steps = logLines(short.runDir('between'), 'step');
    const last = steps.at(-1) as { workers: { worker: number }[] };
    assert.equal(last.workers.length, 2);
    assert.deepEqual(
      steps.map((line) => line['step']),
      steps.map((_, i) => i),
    );
  },
);
