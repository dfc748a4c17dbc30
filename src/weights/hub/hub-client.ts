/**
 * Asks a hub for a model's files by its documented paths. The library `@huggingface/hub` is not used: in version 2.17 its
 * downloads begin anew after a break, check nothing and tell no progress.
 * Paths: https://huggingface.co/docs/hub/api.
 */
import { coded, reasonOf } from '../../errors/errors.js';
import type { HubName } from './hub-name.js';
import type { HubSettings } from './hub-settings.js';

/** How long the hub may take to answer. */
const ANSWER_MS = 30_000;

export interface HubListing {
  readonly commit: string;
  /** Names of all files, with their folders. */
  readonly files: readonly string[];
}

export interface HubFile {
  readonly url: string;
  /** SHA-256 in 64 digits for large files, git's SHA-1 of a blob in 40 for small ones. */
  readonly checksum: string;
  readonly bytes: number;
}

const MOST_HOPS = 5;
const CHECKSUM = /^(?:[0-9a-f]{64}|[0-9a-f]{40})$/;

/** Where an answer leads on the hub itself; null if nowhere, or to another host, which must not see the token. */
function pathOnHub(location: string | null, url: string): string | null {
  if (location?.startsWith('/') !== true || !URL.canParse(location, url)) return null;
  // A path of two slashes begins with a host.
  const next = new URL(location, url);
  return next.origin === new URL(url).origin ? next.href : null;
}

export class HubClient {
  readonly #settings: HubSettings;
  readonly #name: HubName;

  constructor(settings: HubSettings, name: HubName) {
    this.#settings = settings;
    this.#name = name;
  }

  #headers(): Record<string, string> {
    const { token } = this.#settings;
    // Packed on the way, a file would have another length than it has here.
    const headers = { 'accept-encoding': 'identity' };
    return token === null ? headers : { ...headers, authorization: `Bearer ${token}` };
  }

  /** @throws HUB_NOT_FOUND, HUB_UNREACHABLE */
  async #ask(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const { repository, revision } = this.#name;
    let response: Response;
    try {
      response = await fetch(url, { ...init, signal });
    } catch (thrown) {
      const reason = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown;
      throw coded('HUB_UNREACHABLE', { url, reason: reasonOf(reason) });
    }
    if ([401, 403, 404].includes(response.status)) {
      throw coded('HUB_NOT_FOUND', {
        repository,
        revision,
        endpoint: this.#settings.endpoint,
        status: response.status,
      });
    }
    if (response.status >= 400) {
      throw coded('HUB_UNREACHABLE', { url, reason: `it answers ${response.status} ${response.statusText}` });
    }
    return response;
  }

  /** @throws HUB_NOT_FOUND, HUB_UNREACHABLE */
  async listing(): Promise<HubListing> {
    const { repository, revision } = this.#name;
    const url = `${this.#settings.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
    const response = await this.#ask(url, { headers: this.#headers() }, AbortSignal.timeout(ANSWER_MS));
    const body: unknown = await response.json().catch(() => null);
    const { sha, siblings } = (body ?? {}) as { sha?: unknown; siblings?: unknown };
    if (typeof sha !== 'string' || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
      throw coded('HUB_UNREACHABLE', { url, reason: 'it does not answer as a hub does' });
    }
    const files = siblings.map((sibling: unknown) =>
      String((sibling as { rfilename?: unknown } | null)?.rfilename),
    );
    return { commit: sha, files };
  }

  /** What a file is, without its content. @throws HUB_NOT_FOUND, HUB_UNREACHABLE */
  async describe(commit: string, file: string): Promise<HubFile> {
    const url = `${this.#settings.endpoint}/${this.#name.repository}/resolve/${commit}/${encodeURIComponent(file)}`;
    const init: RequestInit = { method: 'HEAD', redirect: 'manual', headers: this.#headers() };
    let { headers } = await this.#ask(url, init, AbortSignal.timeout(ANSWER_MS));
    // A path of the hub itself is another name of the file; another host only stores it and knows no checksum.
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const next = pathOnHub(headers.get('location'), url);
      if (next === null) break;
      ({ headers } = await this.#ask(next, init, AbortSignal.timeout(ANSWER_MS)));
    }
    const tag = headers.get('x-linked-etag') ?? headers.get('etag') ?? '';
    const checksum = tag.replace(/^W\//, '').replaceAll('"', '');
    const bytes = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? NaN);
    if (!CHECKSUM.test(checksum) || !Number.isSafeInteger(bytes)) {
      throw coded('HUB_UNREACHABLE', { url, reason: 'it tells no checksum or size' });
    }
    return { url, checksum, bytes };
  }

  /** The content from byte `from` on; whether the hub began there is for the caller to see by the status. */
  async content(url: string, from: number, signal: AbortSignal): Promise<Response> {
    const headers = this.#headers();
    if (from > 0) headers['range'] = `bytes=${from}-`;
    return this.#ask(url, { headers }, signal);
  }
}
