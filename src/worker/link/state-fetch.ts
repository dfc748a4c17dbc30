/**
 * Takes the state of a step from peers that all hold it: from one at a time, and where that one dies or falls silent,
 * from the next, without asking again for what has come. Every part is checked by its digest.
 */
import { piecewiseDigest } from '../../shared/checkpoint/piecewise-digest.js';
import { coded } from '../../shared/errors.js';
import { faultPoint } from '../../shared/fault-injection.js';
import { encode, type Body, type Message } from '../../shared/protocol/codec.js';
import { StatePull, type PieceRequest } from '../../shared/protocol/state-pull.js';
import { PeerConnection } from './peer-connection.js';

/** Silence after which another peer is asked. */
const SILENCE_MS = 3000;
/** A peer that has not applied the last commit yet is asked again. */
const AGAIN_MS = 20;
/** A part that arrives damaged so often is not the way's fault. */
const MOST_ATTEMPTS = 3;

export interface StateFetched {
  readonly bytes: number;
  /** Peers that did not finish what they had begun. */
  readonly changes: number;
}

export class StateFetch {
  readonly step: number;
  readonly #runToken: string;
  readonly #parts: Readonly<Record<string, SharedArrayBuffer>>;
  readonly #finished = new Set<string>();
  #sources: readonly string[] = [];
  #connection: PeerConnection | null = null;
  #part: { readonly name: string; readonly transfer: number; readonly pull: StatePull } | null = null;
  #transfers = 0;
  #chunks = 0;
  #changes = 0;
  #onDigest: ((reply: Body<'partDigestReply'>) => void) | null = null;
  #silence: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;
  #stop: ((error: Error) => void) | null = null;

  constructor(step: number, runToken: string, parts: Readonly<Record<string, SharedArrayBuffer>>) {
    this.step = step;
    this.#runToken = runToken;
    this.#parts = parts;
  }

  /** Grows with everything that comes in. */
  get messages(): number {
    return this.#chunks;
  }

  /** Pulls what is still missing from `sources`. May be called again after `stop`. @throws STATE_TRANSFER_FAILED */
  async run(sources: readonly string[]): Promise<StateFetched> {
    this.#sources = sources;
    const stopped = new Promise<never>((_, reject) => (this.#stop = reject));
    try {
      this.#connect();
      const names = Object.keys(this.#parts).filter((name) => !this.#finished.has(name));
      for (const name of names) await Promise.race([this.#pullPart(name), stopped]);
      const bytes = Object.values(this.#parts).reduce((sum, { byteLength }) => sum + byteLength, 0);
      return { bytes, changes: this.#changes };
    } finally {
      this.#stop = null;
      this.#disconnect();
    }
  }

  stop(error: Error): void {
    this.#stop?.(error);
  }

  async #pullPart(name: string): Promise<void> {
    const memory = this.#parts[name]!;
    for (let attempt = 1; ; attempt++) {
      // Of a run() that was stopped: what has come in stays.
      if (this.#part?.name === name) this.#repeat();
      else this.#begin(name, memory);
      await this.#part!.pull.run();
      const expected = await this.#digestOf(name);
      this.#part = null;
      if (Buffer.compare(expected, piecewiseDigest(new Uint8Array(memory))) === 0) break;
      if (attempt === MOST_ATTEMPTS) {
        const problem = `${name} arrived damaged ${attempt} times`;
        throw coded('STATE_TRANSFER_FAILED', { step: this.step, problem });
      }
      this.#nextSource();
    }
    this.#finished.add(name);
  }

  #begin(name: string, memory: SharedArrayBuffer): void {
    const transfer = ++this.#transfers;
    // Silence is looked after here: it does not fail the part.
    const pull = new StatePull(transfer, name, this.#ask, new Uint8Array(memory), Infinity);
    this.#part = { name, transfer, pull };
  }

  readonly #ask = (piece: PieceRequest): void => {
    this.#send(encode('stateRequest', { ...piece, step: this.step, runToken: this.#runToken }));
  };

  /** What the peer says the part's digest is, or the next peer. */
  async #digestOf(part: string): Promise<Uint8Array> {
    const transfer = this.#part!.transfer;
    return new Promise((resolve) => {
      this.#onDigest = (reply) => {
        if (reply.transfer !== transfer || reply.part !== part) return;
        this.#onDigest = null;
        resolve(reply.sha256);
      };
      this.#askDigest();
    });
  }

  #askDigest(): void {
    const { name: part, transfer } = this.#part!;
    this.#send(encode('partDigestRequest', { transfer, part, step: this.step, runToken: this.#runToken }));
  }

  #connect(): void {
    const [endpoint] = this.#sources;
    if (endpoint === undefined)
      throw coded('STATE_TRANSFER_FAILED', { step: this.step, problem: 'no peer has it' });
    this.#connection = new PeerConnection(endpoint, (message) => this.#take(message));
    this.#silence = setTimeout(() => this.#nextSource(), SILENCE_MS);
  }

  #disconnect(): void {
    if (this.#silence !== null) clearTimeout(this.#silence);
    if (this.#again !== null) clearTimeout(this.#again);
    this.#silence = this.#again = null;
    this.#connection?.close();
    this.#connection = null;
  }

  /** Goes on with the next peer where this one left off. */
  #nextSource(): void {
    this.#changes++;
    this.#sources = [...this.#sources.slice(1), ...this.#sources.slice(0, 1)];
    this.#disconnect();
    try {
      this.#connect();
    } catch (error) {
      this.stop(error as Error);
      return;
    }
    this.#repeat();
  }

  /** Asks again for what is missing. */
  #repeat(): void {
    if (this.#onDigest !== null) this.#askDigest();
    else this.#part?.pull.resume(this.#ask);
  }

  #send(bytes: Uint8Array): void {
    this.#connection?.send(bytes);
  }

  #take({ name, body }: Message): void {
    if (name !== 'stateChunk' && name !== 'partDigestReply') return;
    this.#chunks++;
    faultPoint('state-pull', this.step);
    this.#silence?.refresh();
    if (body.unavailable) {
      this.#again ??= setTimeout(() => {
        this.#again = null;
        this.#repeat();
      }, AGAIN_MS);
    } else if (name === 'stateChunk') this.#part?.pull.accept(body);
    else this.#onDigest?.(body);
  }
}
