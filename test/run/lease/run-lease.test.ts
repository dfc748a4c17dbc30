/** Who has a run folder: owners in this process, in killed and in stopped ones, and in places that cannot be seen. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemHost } from '../../../src/host/host.js';
import { RunLease } from '../../../src/run/lease/run-lease.js';
import type { VitrailError } from '../../../src/errors/errors.js';

/** Those of a run, a hundred times faster but for the sake of a busy machine. */
const TIMING = { renewMs: 50, lapseMs: 1000 };

function runFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-lease-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'run');
}

async function take(
  t: TestContext,
  folder: string,
  onWatch: (owner: string, forMs: number) => void = () => undefined,
): Promise<RunLease> {
  const lease = await RunLease.take(systemHost, folder, {
    onWatch,
    stopRequested: () => null,
    timing: TIMING,
  });
  t.after(async () => lease.release());
  return lease;
}

const leaseFile = (folder: string, number: number): string => join(folder, `coordinator-${number}.lock`);
const leasesIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.lock'));

/** A process that has the folder, `elsewhere` by a place that this one does not know. */
async function owner(t: TestContext, folder: string, elsewhere: boolean): Promise<ChildProcess> {
  const url = new URL('../../../src/run/lease/run-lease.js', import.meta.url).href;
  const hostUrl = new URL('../../../src/host/host.js', import.meta.url).href;
  const options = `{ onWatch() {}, stopRequested: () => null, timing: ${JSON.stringify(TIMING)} }`;
  const script = `const { RunLease } = await import(${JSON.stringify(url)});
    const { systemHost } = await import(${JSON.stringify(hostUrl)});
    const lease = await RunLease.take(systemHost, ${JSON.stringify(folder)}, ${options});
    lease.onLost((error) => console.log(error.message));
    console.log('taken'); setInterval(() => {}, 1000);`;
  // A namespace of process numbers of its own is what a container has.
  const wrapper = elsewhere ? ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] : [];
  const [command, ...args] = [...wrapper, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('a folder can be taken once, and again after the release', async (t) => {
  const folder = runFolder(t);
  const lease = await take(t, folder);
  await assert.rejects(take(t, folder), /RUN_LOCKED.*process \d+ on .*it runs/);
  writeFileSync(join(folder, 'config.yaml'), '');
  await lease.release();
  await (await take(t, folder)).release();
  assert.deepEqual(readdirSync(folder), ['config.yaml']);
});

test('a folder that was made for the lease goes with it, one that was there stays', async (t) => {
  const folder = runFolder(t);
  await (await take(t, folder)).release();
  assert.equal(existsSync(folder), false);
  mkdirSync(folder);
  await (await take(t, folder)).release();
  assert.deepEqual(readdirSync(folder), []);
});

test('the lease of a process that was killed here is taken over at once', async (t) => {
  const folder = runFolder(t);
  const child = await owner(t, folder, false);
  await assert.rejects(take(t, folder), new RegExp(`process ${child.pid} `));
  child.kill('SIGKILL');
  await once(child, 'close');
  await take(t, folder, () => assert.fail('it can be seen that the process is gone'));
  assert.match(readFileSync(leaseFile(folder, 2), 'utf8'), new RegExp(`"pid":${process.pid},`));
  assert.deepEqual(leasesIn(folder), ['coordinator-2.lock']);
});

test('a process number that was given again to another process holds nothing', async (t) => {
  const folder = runFolder(t);
  mkdirSync(folder);
  const before = await take(t, folder);
  const noted = JSON.parse(readFileSync(leaseFile(folder, 1), 'utf8')) as object;
  await before.release();
  writeFileSync(leaseFile(folder, 1), JSON.stringify(Object.assign({}, noted, { startedAt: '1' })));
  await take(t, folder);
});

test('a process in another container keeps the folder while it lives, and loses it when it has died', async (t) => {
  if (process.getuid?.() !== 0) {
    t.skip('it needs root');
    return;
  }
  const folder = runFolder(t);
  const child = await owner(t, folder, true);
  // Its process number is 1, which runs here as well: that means nothing.
  await assert.rejects(take(t, folder), /RUN_LOCKED.*process 1 on .*it renewed its lease/);
  child.kill('SIGKILL');
  // Of its output, which the process in the container holds as well.
  await once(child, 'close');
  const told: string[] = [];
  await take(t, folder, (by, forMs) => void told.push(`${by}, ${Math.round(forMs)} ms`));
  assert.match(told.join(), /^process 1 on .*, 1000 ms$/);
});

test('of several that wait for a lease to lapse one gets the folder', async (t) => {
  const folder = runFolder(t);
  mkdirSync(folder);
  for (const text of ['{"host":', '']) {
    writeFileSync(leaseFile(folder, 4), text);
    const ends = await Promise.allSettled([1, 2, 3, 4, 5].map(async () => take(t, folder)));
    const won = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    assert.equal(won.length, 1);
    const codes = ends.flatMap((end) =>
      end.status === 'rejected' ? [(end.reason as VitrailError).code] : [],
    );
    assert.deepEqual(codes, ['RUN_LOCKED', 'RUN_LOCKED', 'RUN_LOCKED', 'RUN_LOCKED']);
    assert.deepEqual(leasesIn(folder), ['coordinator-5.lock']);
    await won[0]!.release();
  }
});

test('an owner that slept through the end of its lease finds out before it writes anything', async (t) => {
  const folder = runFolder(t);
  const sleeper = await take(t, folder);
  const lost = new Promise<VitrailError>((resolve) => sleeper.onLost(resolve));
  await sleeper.check();
  // What another does when this one is silent for too long.
  const noted = JSON.parse(readFileSync(leaseFile(folder, 1), 'utf8')) as object;
  const other = Object.assign({}, noted, { token: 'another', host: 'beta' });
  writeFileSync(leaseFile(folder, 2), JSON.stringify(other));
  rmSync(leaseFile(folder, 1));
  assert.equal(await sleeper.isHeld(), false);
  await assert.rejects(sleeper.check(), /RUN_TAKEN_OVER.*process \d+ on beta/);
  assert.equal((await lost).code, 'RUN_TAKEN_OVER');
  await sleeper.release();
  assert.deepEqual(leasesIn(folder), ['coordinator-2.lock']);
});

test('if another process has the number by now, the lease is not ours', async (t) => {
  const folder = runFolder(t);
  const lease = await take(t, folder);
  const noted = JSON.parse(readFileSync(leaseFile(folder, 1), 'utf8')) as object;
  rmSync(leaseFile(folder, 1));
  writeFileSync(leaseFile(folder, 1), JSON.stringify(Object.assign({}, noted, { token: 'another' })));
  assert.equal(await lease.isHeld(), false);
  await lease.release();
  assert.equal(existsSync(leaseFile(folder, 1)), true);
});

test('a stop ends the wait for a lease to lapse', async (t) => {
  const folder = runFolder(t);
  mkdirSync(folder);
  writeFileSync(leaseFile(folder, 1), '');
  const stopped = RunLease.take(systemHost, folder, {
    onWatch: () => undefined,
    stopRequested: () => 'stopped by SIGINT',
  });
  await assert.rejects(stopped, /RUN_LOCKED.*stopped by SIGINT/);
});

test('a lease that cannot be read ends the attempt with its path and the reason', async (t) => {
  const folder = runFolder(t);
  mkdirSync(leaseFile(folder, 1), { recursive: true });
  await assert.rejects(take(t, folder), /RUN_WRITE_FAILED: .*coordinator-1\.lock.*EISDIR/);
  assert.deepEqual(readdirSync(folder), ['coordinator-1.lock']);
});
