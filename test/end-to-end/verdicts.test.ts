/** Workers that hang or whose memory is wrong: a verdict names them, they are taken out, and the run stays right. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder } from './cli-run.js';

const folder = temporaryFolder();
let data = '';
let reference = '';

const argumentsOf = (name: string, ...flags: string[]): string[] => [
  ...['--data', data, '--out', `${folder.path}/${name}`, '--json', ...SMALL_RUN, ...flags],
];
const digestOf = (stdout: string): string => (JSON.parse(stdout) as { weightDigest: string }).weightDigest;

before(async () => {
  data = await smallDataset(folder.path);
  reference = digestOf((await cli('train', ...argumentsOf('clean', '--workers', '1'))).stdout);
});

after(() => folder.remove());

/** A coordinator and `count` workers, the first of them with faults. */
async function runWithFaults(name: string, count: number, faults: string, ...flags: string[]) {
  const coordinator = startCli(['coordinator', ...argumentsOf(name, '--workers', String(count), ...flags)]);
  const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
  const args = ['worker', '--coordinator', address];
  const workers = Array.from({ length: count }, (_, i) =>
    startCli(args, { VITRAIL_FAULTS: i === 0 ? faults : '' }),
  );
  const result = await coordinator.done;
  assert.equal(result.code, 0, result.stderr);
  const events = logLines(`${folder.path}/${name}`, 'cluster') as { kind: string; text: string }[];
  return { result, events, workers };
}

test('a worker that hangs is named with phase, time, usual time and last log lines, and removed', async () => {
  const { result, events, workers } = await runWithFaults(
    'hung',
    2,
    'mid-micro-batch@9:hang',
    '--step-timeout-ms',
    '2500',
  );
  assert.equal(digestOf(result.stdout), reference);
  const verdict = events.find(({ kind }) => kind === 'hung');
  assert.match(
    verdict?.text ?? '',
    /worker \d .*hangs in step 9 during compute; nothing new for \d+ ms, .*usual: median \d+ ms, p99 \d+ ms of \d+; it last logged: .*ready/,
  );
  assert.match(result.stderr, /hangs in step 9/);
  const status = await cli('status', `${folder.path}/hung`);
  assert.match(status.stdout, /ended: finished.*last events.*hangs in step 9/s);
  workers[0]!.child.kill('SIGKILL');
  for (const worker of workers.slice(1)) assert.equal((await worker.done).code, 0);
});

test('a worker that is outvoted has spoilt the steps since all agreed: they are computed again without it', async () => {
  // It is found at the end of the epoch: until then the others have added its gradients to theirs.
  const { result, events, workers } = await runWithFaults('flipped', 3, 'mid-update@8:flip');
  assert.equal(digestOf(result.stdout), reference);
  const expelled = events.filter(({ kind }) => kind === 'expelled');
  assert.equal(expelled.length, 1);
  assert.match(
    expelled[0]!.text,
    /STATE_MISMATCH: worker \d holds a different weights than it should after step \d+/,
  );
  const back = events.filter(({ kind }) => kind === 'back');
  assert.equal(back.length, 1);
  assert.match(back[0]!.text, /since step \d+.*rolling back to the newest checkpoint/);
  const healed = await workers[0]!.done;
  assert.equal(healed.code, 0, healed.stderr);
  assert.match(healed.stderr, /joining again/);
  for (const worker of workers.slice(1)) assert.equal((await worker.done).code, 0);
});
