import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHttpServer } from '../../src/host/http-server.js';

const text = (body: string) => () => ({ contentType: 'text/plain', body });

test('routes answer, unknown paths name the known ones, only GET is served', async () => {
  const server = await startHttpServer('127.0.0.1:0', { '/healthz': text('ok\n') });
  const at = (path: string): string => `http://${server.address}${path}`;
  try {
    const ok = await fetch(at('/healthz?verbose=1'));
    assert.equal(ok.status, 200);
    assert.equal(await ok.text(), 'ok\n');
    const missing = await fetch(at('/nothing'));
    assert.equal(missing.status, 404);
    assert.match(await missing.text(), /\/healthz/);
    assert.equal((await fetch(at('/healthz'), { method: 'POST' })).status, 405);
  } finally {
    await server.close();
  }
});

test('a route that fails answers 500 and the server goes on', async () => {
  const fails = () => {
    throw new Error('no metrics today');
  };
  const server = await startHttpServer('127.0.0.1:0', { '/bad': fails, '/good': text('fine') });
  try {
    const bad = await fetch(`http://${server.address}/bad`);
    assert.equal(bad.status, 500);
    assert.match(await bad.text(), /no metrics today/);
    assert.equal((await fetch(`http://${server.address}/good`)).status, 200);
  } finally {
    await server.close();
  }
});

test('a port in use is refused with its address', async () => {
  const first = await startHttpServer('127.0.0.1:0', {});
  try {
    await assert.rejects(startHttpServer(first.address, {}), { code: 'PORT_IN_USE' });
  } finally {
    await first.close();
  }
});

test('an address that is none is refused', async () => {
  for (const address of ['', 'localhost', '127.0.0.1:99999', 'tcp://127.0.0.1:80']) {
    await assert.rejects(startHttpServer(address, {}), { code: 'ADDRESS_INVALID' }, address);
  }
});
