/** Workers in network namespaces: a link that goes down and comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLines, slowSteps } from './cli-run.js';
import { MachineRuns } from './machine-runs.js';
import { must, network } from './namespaces.js';

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
