/** Workers in network namespaces whose links are slow, or drop packets. */
import { test } from 'node:test';
import { MachineRuns } from '../end-to-end/machine-runs.js';
import { must, network, tried } from '../end-to-end/namespaces.js';
import { LONG_RUN } from './long-run.js';

const runs = new MachineRuns(LONG_RUN);

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
