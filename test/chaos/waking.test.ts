import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { wake } from '../../src/chaos/waking.js';

/** A process that announces its stop, waits, stops, and says that it was stopped. */
function sleeper(t: TestContext, seconds: number) {
  const script = `echo announced; sleep ${seconds}; kill -STOP $$; echo stopped`;
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  return { child, ended: once(child, 'exit'), hasStopped: () => text.includes('stopped') };
}

test('a process is woken though the first signal comes before its stop', async (t) => {
  const { child, ended, hasStopped } = sleeper(t, 0.4);
  await once(child.stdout, 'data');
  wake(child, hasStopped);
  assert.deepEqual(await ended, [0, null]);
});

test('a process that has ended is left alone', async (t) => {
  const { child, ended, hasStopped } = sleeper(t, 0);
  child.kill('SIGKILL');
  await ended;
  wake(child, hasStopped);
  assert.equal(child.signalCode, 'SIGKILL');
});
