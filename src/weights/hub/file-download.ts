/** Downloads a file into the cache: goes on where a download broke off, and checks what has come. */
import { createHash } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { coded, hasCode, reasonOf, VitrailError } from '../../errors/errors.js';
import type { HubClient, HubFile } from './hub-client.js';

/** How long nothing may come. */
const SILENCE_MS = 30_000;
const TRIES = 5;
const PAUSE_MS = 500;

/** Bytes that have come, of all. */
export type OnBytes = (done: number, total: number) => void;

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (hasCode(thrown, 'ENOENT')) return 0;
    throw thrown;
  }
}

/** Appends what comes to the file, which has `from` bytes. */
async function receive(
  client: HubClient,
  { url, bytes }: HubFile,
  path: string,
  from: number,
  onBytes: OnBytes,
) {
  const silence = new AbortController();
  const timer = setTimeout(
    () => silence.abort(new Error(`nothing came for ${SILENCE_MS / 1000} s`)),
    SILENCE_MS,
  );
  const response = await client.content(url, from, silence.signal).catch((thrown: unknown) => {
    clearTimeout(timer);
    throw thrown;
  });
  const resumed = response.status === 206;
  const file = await open(path, resumed ? 'a' : 'w');
  try {
    let done = resumed ? from : 0;
    const reader = response.body?.getReader();
    for (;;) {
      const { value: piece } = (await reader?.read()) ?? {};
      if (piece === undefined) break;
      timer.refresh();
      done += piece.length;
      if (done > bytes) throw new Error(`more than the ${bytes} bytes of the file came`);
      await file.appendFile(piece);
      onBytes(done, bytes);
    }
    if (done < bytes) throw new Error(`${done} of ${bytes} bytes came`);
    await file.sync();
  } finally {
    clearTimeout(timer);
    // What still comes is not wanted, and a connection that is left open keeps the process alive.
    silence.abort();
    await file.close();
  }
}

/** SHA-256 of the content, or SHA-1 as git computes it for a blob, by the length of what is expected. */
async function checksumOf(path: string, { checksum, bytes }: HubFile): Promise<string> {
  const hash = createHash(checksum.length === 64 ? 'sha256' : 'sha1');
  if (checksum.length === 40) hash.update(`blob ${bytes}\0`);
  const file = await open(path, 'r');
  try {
    for await (const piece of file.createReadStream({ autoClose: false })) hash.update(piece as Uint8Array);
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** Errors of the network pass; those of the disk and the hub's refusals do not. */
function mayPass(thrown: unknown): boolean {
  if (thrown instanceof VitrailError) return thrown.code === 'HUB_UNREACHABLE';
  return !hasCode(thrown, 'ENOSPC', 'EACCES', 'EROFS', 'EDQUOT', 'ENOENT');
}

async function download(
  client: HubClient,
  file: HubFile,
  unfinished: string,
  onBytes: OnBytes,
): Promise<void> {
  for (let attempt = 1; (await sizeOf(unfinished)) !== file.bytes || file.bytes === 0; attempt++) {
    const have = await sizeOf(unfinished);
    try {
      if (have > file.bytes) await rm(unfinished);
      await receive(client, file, unfinished, have > file.bytes ? 0 : have, onBytes);
      break;
    } catch (thrown) {
      if (!mayPass(thrown)) throw thrown;
      if (attempt === TRIES) {
        if (thrown instanceof VitrailError) throw thrown;
        throw coded('HUB_UNREACHABLE', { url: file.url, reason: reasonOf(thrown) });
      }
      await sleep(PAUSE_MS * attempt);
    }
  }
  const found = await checksumOf(unfinished, file);
  if (found !== file.checksum) {
    await rm(unfinished);
    throw coded('HUB_DAMAGED', { url: file.url, expected: file.checksum, found });
  }
}

/**
 * Downloads `file` to `path`, which gets its name when all of it is there and has the right checksum.
 * @throws HUB_UNREACHABLE, HUB_NOT_FOUND, HUB_CACHE_FAILED, HUB_DAMAGED
 */
export async function downloadFile(
  client: HubClient,
  file: HubFile,
  path: string,
  onBytes: OnBytes,
): Promise<void> {
  const unfinished = `${path}.incomplete`;
  try {
    await download(client, file, unfinished, onBytes);
    await rename(unfinished, path);
  } catch (thrown) {
    if (thrown instanceof VitrailError) throw thrown;
    throw coded('HUB_CACHE_FAILED', { path, reason: reasonOf(thrown) });
  }
}
