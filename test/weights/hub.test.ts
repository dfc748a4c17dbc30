/** Models are fetched from a hub by its documented paths, go on after a break, are checked, and are found offline. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { cachedModel, fetchModel } from '../../src/weights/hub/hub-model.js';
import { hubName, isHubName } from '../../src/weights/hub/hub-name.js';
import { hubSettings, type HubSettings } from '../../src/weights/hub/hub-settings.js';
import { withFolder } from './weight-files.js';

const COMMIT = 'c0ffee'.padEnd(40, '0');
const weights = Buffer.alloc(100_000, 'weights');
const config = Buffer.from('{"model_type": "vit"}');

interface Hub {
  readonly endpoint: string;
  readonly asked: { readonly line: string; readonly headers: IncomingMessage['headers'] }[];
  /** What the content of a file is answered with; by default as the hub does. */
  content: (request: IncomingMessage, response: ServerResponse, file: Buffer) => void;
  /** Where it says that the large file is stored. */
  store: string;
}

function answer(request: IncomingMessage, response: ServerResponse, file: Buffer): void {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200);
  response.end(file.subarray(from));
}

/** Serves the hub's paths on this machine: a large file by SHA-256 on a store, a small one by git's SHA-1. */
async function serveHub(
  t: TestContext,
  names = ['config.json', 'model.safetensors', 'README.md'],
): Promise<Hub> {
  const hub: Hub = { endpoint: '', asked: [], content: answer, store: 'http://store.invalid/x' };
  const server = createServer((request, response) => {
    hub.asked.push({ line: `${request.method} ${request.url}`, headers: request.headers });
    const url = request.url ?? '';
    if (url === `/api/models/some/model/revision/main` || url === '/api/models/some/model/revision/v1') {
      response.end(JSON.stringify({ sha: COMMIT, siblings: names.map((rfilename) => ({ rfilename })) }));
    } else if (request.method === 'HEAD' && url.endsWith('/model.safetensors')) {
      const etag = createHash('sha256').update(weights).digest('hex');
      response.writeHead(302, {
        location: hub.store,
        'x-linked-etag': `"${etag}"`,
        'x-linked-size': weights.length,
      });
      response.end();
    } else if (request.method === 'HEAD' && url === `/some/model/resolve/${COMMIT}/config.json`) {
      response.writeHead(307, { location: '/cached/config.json' });
      response.end();
    } else if (request.method === 'HEAD' && url === '/cached/config.json') {
      const etag = createHash('sha1').update(`blob ${config.length}\0`).update(config).digest('hex');
      response.writeHead(200, { etag: `"${etag}"`, 'content-length': config.length });
      response.end();
    } else if (url === `/some/model/resolve/${COMMIT}/model.safetensors`)
      hub.content(request, response, weights);
    else if (url === `/some/model/resolve/${COMMIT}/config.json`) hub.content(request, response, config);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(hub, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const settingsOf = (hub: Hub, cache: string, more: Partial<HubSettings> = {}): HubSettings =>
  Object.assign({ endpoint: hub.endpoint, cache, token: null, offline: false }, more);
const quiet = (): void => undefined;

test('a model is fetched with its config, told as it comes, and found again without the network', (t) =>
  withFolder(async (cache) => {
    const hub = await serveHub(t);
    const told: string[] = [];
    const settings = settingsOf(hub, cache, { token: 'secret' });
    const folder = await fetchModel('hf:some/model', settings, (file, done, total) =>
      told.push(`${file} ${done}/${total}`),
    );
    assert.equal(folder, join(cache, 'models--some--model', 'snapshots', COMMIT));
    assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
    assert.deepEqual(readFileSync(join(folder, 'config.json')), config);
    assert.equal(existsSync(join(folder, 'README.md')), false);
    assert.equal(told.at(-1), 'model.safetensors 100000/100000');
    assert.ok(hub.asked.every(({ headers }) => headers.authorization === 'Bearer secret'));

    const asked = hub.asked.length;
    assert.equal(await fetchModel('hf:some/model', settingsOf(hub, cache, { offline: true }), quiet), folder);
    assert.equal(await cachedModel(`hf:some/model@${COMMIT}`, { cache }), folder);
    assert.equal(hub.asked.length, asked);
    assert.equal(await fetchModel('hf:some/model@v1', settings, quiet), folder);
    assert.equal(hub.asked.length, asked + 1, 'files that are there are not asked for again');
  }));

test('a download that breaks off goes on where it was, in this process and in the next', (t) =>
  withFolder(async (cache) => {
    const hub = await serveHub(t);
    const etag = createHash('sha256').update(weights).digest('hex');
    let breaks = 1;
    hub.content = (request, response, file) => {
      if (file !== weights || breaks-- <= 0) {
        answer(request, response, file);
        return;
      }
      response.writeHead(200);
      response.write(file.subarray(0, 40_000), () => response.destroy());
    };
    const folder = await fetchModel('hf:some/model', settingsOf(hub, cache), quiet);
    assert.deepEqual(readFileSync(join(folder, 'model.safetensors')), weights);
    const ranges = hub.asked.map(({ headers }) => headers.range).filter((range) => range !== undefined);
    assert.match(ranges[0]!, /^bytes=[1-9]\d*-$/);

    const other = join(cache, 'other');
    const blobs = join(other, 'models--some--model', 'blobs');
    await fetchModel('hf:some/model', settingsOf(hub, other), quiet);
    const whole = readFileSync(join(blobs, etag));
    const third = join(cache, 'third', 'models--some--model', 'blobs');
    mkdirSync(third, { recursive: true });
    writeFileSync(join(third, `${etag}.incomplete`), whole.subarray(0, 70_000));
    hub.asked.length = 0;
    await fetchModel('hf:some/model', settingsOf(hub, join(cache, 'third')), quiet);
    assert.ok(hub.asked.some(({ headers }) => headers.range === 'bytes=70000-'));
    assert.deepEqual(readFileSync(join(third, etag)), weights);
  }));

test('no other host sees the token, whatever the hub says of where a file is', (t) =>
  withFolder(async (cache) => {
    const [hub, store] = [await serveHub(t), await serveHub(t)];
    hub.content = (request, response) => {
      response.writeHead(302, { location: `${store.endpoint}${request.url}` });
      response.end();
    };
    for (const slashes of ['//', '/\\']) {
      hub.store = store.endpoint.replace('http://', slashes);
      const settings = settingsOf(hub, join(cache, String(slashes.charCodeAt(1))), { token: 'secret' });
      await fetchModel('hf:some/model', settings, quiet);
    }
    assert.ok(store.asked.some(({ line }) => line.endsWith('/model.safetensors')));
    assert.deepEqual(
      store.asked.filter(({ headers }) => headers.authorization !== undefined),
      [],
    );
  }));

test('content that does not have the checksum is refused and leaves nothing', (t) =>
  withFolder(async (cache) => {
    const hub = await serveHub(t);
    hub.content = (_, response, file) =>
      response.end(file === weights ? Buffer.alloc(file.length, 'x') : file);
    await assert.rejects(fetchModel('hf:some/model', settingsOf(hub, cache), quiet), { code: 'HUB_DAMAGED' });
    await assert.rejects(cachedModel('hf:some/model', { cache }), { code: 'HUB_NOT_CACHED' });
    hub.content = answer;
    await fetchModel('hf:some/model', settingsOf(hub, cache), quiet);
  }));

test('a cache into which a file cannot be put is named', (t) =>
  withFolder(async (cache) => {
    const hub = await serveHub(t);
    const etag = createHash('sha256').update(weights).digest('hex');
    mkdirSync(join(cache, 'models--some--model', 'blobs', etag, 'x'), { recursive: true });
    await assert.rejects(fetchModel('hf:some/model', settingsOf(hub, cache), quiet), {
      code: 'HUB_CACHE_FAILED',
    });
  }));

test('what the hub does not have, does not answer or holds without weights is refused by code', (t) =>
  withFolder(async (cache) => {
    const hub = await serveHub(t, ['README.md']);
    const fetched = (name: string, more: Partial<HubSettings> = {}) =>
      fetchModel(name, settingsOf(hub, cache, more), quiet);
    await assert.rejects(fetched('hf:some/other'), { code: 'HUB_NOT_FOUND', message: /HF_TOKEN/ });
    await assert.rejects(fetched('hf:some/model'), { code: 'WEIGHTS_FORMAT_UNKNOWN' });
    await assert.rejects(fetched('hf:some/model', { offline: true }), { code: 'HUB_NOT_CACHED' });
    await assert.rejects(fetched('hf:some/model', { endpoint: 'http://127.0.0.1:1' }), {
      code: 'HUB_UNREACHABLE',
      message: /--offline/,
    });
  }));

test('names of models are read, and what could lead elsewhere is none', () => {
  assert.deepEqual(hubName('hf:google/vit-base_patch16.x'), {
    repository: 'google/vit-base_patch16.x',
    revision: 'main',
  });
  assert.deepEqual(hubName('hf:gpt2@refs/pr/1'), { repository: 'gpt2', revision: 'refs/pr/1' });
  assert.equal(isHubName('./hf:x'), false);
  for (const name of [
    'hf:',
    'hf:a/b/c',
    'hf:../b',
    'hf:a/..',
    'hf:a/b@',
    'hf:a/b@../x',
    'hf:a/b@x/../y',
    'hf:/b',
  ]) {
    assert.throws(() => hubName(name), { code: 'HUB_NAME_INVALID' }, name);
  }
});

test('the environment names hub, cache and token as Hugging Face libraries have it', () => {
  const usual = {
    endpoint: 'https://huggingface.co',
    cache: '/u/.cache/huggingface/hub',
    token: null,
    offline: false,
  };
  assert.deepEqual(hubSettings({}, '/u'), usual);
  assert.equal(hubSettings({ HF_HOME: '/h' }, '/u').cache, '/h/hub');
  assert.equal(hubSettings({ HF_HOME: '/h', HF_HUB_CACHE: '/c' }, '/u').cache, '/c');
  assert.equal(hubSettings({ XDG_CACHE_HOME: '/x' }, '/u').cache, '/x/huggingface/hub');
  assert.deepEqual(
    hubSettings({ HF_ENDPOINT: 'http://mirror/', HF_TOKEN: ' t ', HF_HUB_OFFLINE: '1', HF_HOME: '' }, '/u'),
    { endpoint: 'http://mirror', cache: usual.cache, token: 't', offline: true },
  );
});
