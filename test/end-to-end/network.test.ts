/** Workers in network namespaces: a link that goes down and comes back, one that is broken between two workers alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLines, slowSteps } from './cli-run.js';
import { MachineRuns } from './machine-runs.js';
import { must, network, NETWORK, tried } from './namespaces.js';

const runs = new MachineRuns();

test(
  'a link that goes down and comes back costs a worker its place, and it takes a new one',
  { skip: runs.skip },
  async (t) => {
    const { names, links } = network(t, 2);
    const { coordinator, workers } = await runs.start('down', names, { faults: slowSteps(4, 2) });
    await coordinator.seen(/epoch 1 /);
    must('ip', 'link', 'set', links[0]!, 'down');
    await coordinator.seen(/was lost .*silent/);
    must('ip', 'link', 'set', links[0]!, 'up');
    await runs.assertSameWeights(coordinator, workers.slice(1));
    const kinds = logLines(runs.runDir('down'), 'cluster').map((line) => line['kind']);
    assert.ok(kinds.includes('suspected') && kinds.includes('lost'));
    // Too late for this run or not, it ends when it is asked to.
    workers[0]!.child.kill('SIGTERM');
    const back = await workers[0]!.done;
    // One that is ending by itself just then may be ended by the signal.
    const end = back.code ?? workers[0]!.child.signalCode;
    assert.ok([0, 143, 'SIGTERM'].includes(end ?? 'unknown'), `${end}: ${back.stderr}`);
  },
);

test(
  'a broken link between two workers alone costs one of them its place, not the run',
  { skip: runs.skip },
  async (t) => {
    if (!tried('nft', '--version')) {
      t.skip('it needs nftables');
      return;
    }
    const { names } = network(t, 3);
    const { coordinator, workers } = await runs.start('between', names, {
      flags: ['--ring-timeout-ms', '1500'],
      faults: slowSteps(4, 2),
    });
    await coordinator.seen(/epoch 1 /);
    // Both still reach the coordinator and the third worker; a ring of three needs every link.
    const rules = `add table inet t; add chain inet t in { type filter hook input priority 0; };
    add rule inet t in ip saddr ${NETWORK}.3 drop`;
    must('ip', 'netns', 'exec', names[0]!, 'nft', rules);
    await runs.assertSameWeights(coordinator, workers);
    const lines = logLines(runs.runDir('between'), 'cluster') as { kind: string; text: string }[];
    const out = lines.filter(({ kind }) => kind === 'expelled').map(({ text }) => text);
    assert.equal(out.length, 1, out.join('; '));
    assert.match(out[0]!, /worker \d is not reached by its neighbour in the ring: it stays out for 30 s/);
    // Workers are numbered as they join; their addresses say who is behind the broken link.
    const steps = logLines(runs.runDir('between'), 'step');
    const last = steps.at(-1) as { workers: { worker: number }[] };
    assert.equal(last.workers.length, 2);
    assert.deepEqual(
      steps.map((line) => line['step']),
      steps.map((_, i) => i),
    );
  },
);
