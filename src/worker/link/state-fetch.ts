/**
 * Takes the state of a step from peers that all hold it, from one at a time. If that one dies or falls silent, the next one
 * goes on without sending again what has arrived. Every part is checked by its digest.
 */
import { piecewiseDigest } from '../../run/checkpoint/piecewise-digest.js';
import { coded, reasonOf } from '../../errors/errors.js';
import { faultPoint } from '../../host/fault-injection.js';
import type { Body, Message } from '../../wire/codec.js';
import { StatePull, type PieceRequest } from '../../wire/state-pull.js';
import type { Clock, Timer } from '../../host/clock.js';
import type { Connection, WorkerNetwork } from '../../host/network.js';

/** Silence after which another peer is asked. */
const SILENCE_MS = 3000;
/** A peer that has not applied the last commit yet is asked again. */
const AGAIN_MS = 20;
/** A peer needs to read a part for its digest. It is not slower than this. */
const DIGEST_BYTES_PER_MS = 100_000;
/** If a part arrives damaged this many times, the network is not the reason. */
const MOST_ATTEMPTS = 3;

export interface StateFetched {
  readonly bytes: number;
  /** Peers that did not finish the part they had begun. */
  readonly changes: number;
}

/** The parts of the host that a fetch uses. */
export interface FetchHost {
  readonly clock: Clock;
  readonly network: Pick<WorkerNetwork, 'connectQuestions'>;
}

export class StateFetch {
  readonly #host: FetchHost;
  readonly step: number;
  readonly #runToken: string;
  readonly #parts: Readonly<Record<string, SharedArrayBuffer>>;
  readonly #finished = new Set<string>();
  #sources: readonly string[] = [];
  #connection: Connection | null = null;
  #part: { readonly name: string; readonly transfer: number; readonly pull: StatePull } | null = null;
  #transfers = 0;
  /** Rises with every start and stop, so that a run() notices that it was stopped. */
  #runs = 0;
  #chunks = 0;
  #changes = 0;
  #onDigest: ((reply: Body<'partDigestReply'>) => void) | null = null;
  #silence: Timer | null = null;
  #again: Timer | null = null;
  #stop: ((error: Error) => void) | null = null;
  readonly #silenceMs: number;

  /** @param silenceMs if nothing of the state arrives for this long, another peer is asked */
  constructor(
    host: FetchHost,
    step: number,
    runToken: string,
    parts: Readonly<Record<string, SharedArrayBuffer>>,
    silenceMs = SILENCE_MS,
  ) {
    this.#host = host;
    this.#silenceMs = silenceMs;
    this.step = step;
    this.#runToken = runToken;
    this.#parts = parts;
  }

  /** Grows with every piece of the state that arrives. */
  get messages(): number {
    return this.#chunks;
  }

  /** Pulls what is still missing from `sources`. May be called again after `stop`. @throws STATE_TRANSFER_FAILED */
  async run(sources: readonly string[]): Promise<StateFetched> {
    this.#sources = sources;
    const run = ++this.#runs;
    const stopped = new Promise<never>((_, reject) => (this.#stop = reject));
    try {
      this.#connect();
      const names = Object.keys(this.#parts).filter((name) => !this.#finished.has(name));
      for (const name of names) await Promise.race([this.#pullPart(name, run), stopped]);
      const bytes = Object.values(this.#parts).reduce((sum, { byteLength }) => sum + byteLength, 0);
      return { bytes, changes: this.#changes };
    } finally {
      this.#runs++;
      this.#stop = null;
      this.#onDigest = null;
      this.#disconnect();
    }
  }

  stop(error: Error): void {
    this.#stop?.(error);
  }

  /** @param run the run() that it belongs to; if that was stopped, the next run() goes on with the part */
  async #pullPart(name: string, run: number): Promise<void> {
    const memory = this.#parts[name]!;
    for (let attempt = 1; ; attempt++) {
      // A run() that was stopped keeps what has arrived.
      if (this.#part?.name === name) this.#repeat();
      else this.#begin(name, memory);
      const damage = await this.#damageOf(name, memory, run);
      if (run !== this.#runs) return;
      this.#part = null;
      if (damage === null) break;
      if (attempt === MOST_ATTEMPTS) {
        const problem = `${name} arrived damaged ${attempt} times, the last time because ${damage}`;
        throw coded('STATE_TRANSFER_FAILED', { step: this.step, problem });
      }
      this.#nextSource();
    }
    this.#finished.add(name);
  }

  /** Fetches the rest of the part. @returns what is wrong with the bytes that arrived, or null */
  async #damageOf(name: string, memory: SharedArrayBuffer, run: number): Promise<string | null> {
    try {
      await this.#part!.pull.run();
    } catch (error) {
      return reasonOf(error);
    }
    if (run !== this.#runs) return null;
    const expected = await this.#digestOf(name);
    const digest = await piecewiseDigest(this.#host.clock, new Uint8Array(memory));
    return Buffer.compare(expected, digest) === 0 ? null : 'its digest is not the one that its sender gave';
  }

  #begin(name: string, memory: SharedArrayBuffer): void {
    const transfer = ++this.#transfers;
    // This class handles silence itself, so it does not fail the part.
    const pull = new StatePull(this.#host.clock, transfer, name, this.#ask, new Uint8Array(memory), Infinity);
    this.#part = { name, transfer, pull };
    this.#expectMore();
  }

  readonly #ask = (piece: PieceRequest): void => {
    this.#connection?.send('stateRequest', { ...piece, step: this.step, runToken: this.#runToken });
  };

  /** Asks a peer for the part's digest, and the next peer if it does not answer. */
  async #digestOf(part: string): Promise<Uint8Array> {
    const transfer = this.#part!.transfer;
    return new Promise((resolve) => {
      this.#onDigest = (reply) => {
        if (reply.transfer !== transfer || reply.part !== part) return;
        this.#onDigest = null;
        // Nothing is expected from the peer until the next part begins.
        this.#expectNothing();
        resolve(reply.sha256);
      };
      this.#expectMore();
      this.#askDigest();
    });
  }

  #askDigest(): void {
    const { name: part, transfer } = this.#part!;
    const request = { transfer, part, step: this.step, runToken: this.#runToken };
    this.#connection?.send('partDigestRequest', request);
  }

  #connect(): void {
    const [endpoint] = this.#sources;
    if (endpoint === undefined)
      throw coded('STATE_TRANSFER_FAILED', { step: this.step, problem: 'no peer has it' });
    this.#connection = this.#host.network.connectQuestions(endpoint, (message) => this.#take(message));
    this.#expectMore();
  }

  /**
   * Goes to the next peer if this one is silent for too long. It gets time to read a whole part for a digest.
   */
  #expectMore(): void {
    this.#expectNothing();
    const bytes = this.#onDigest === null ? 0 : this.#parts[this.#part!.name]!.byteLength;
    const silenceMs = this.#silenceMs + bytes / DIGEST_BYTES_PER_MS;
    this.#silence = this.#host.clock.after(silenceMs, () => this.#nextSource());
  }

  #expectNothing(): void {
    this.#silence?.cancel();
    this.#silence = null;
  }

  #disconnect(): void {
    this.#expectNothing();
    this.#again?.cancel();
    this.#again = null;
    this.#connection?.close();
    this.#connection = null;
  }

  /** Continues with the next peer where this one stopped. */
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

  #take({ name, body }: Message): void {
    if (name !== 'stateChunk' && name !== 'partDigestReply') return;
    if (body.unavailable) {
      this.#again ??= this.#host.clock.after(AGAIN_MS, () => {
        this.#again = null;
        this.#repeat();
      });
      return;
    }
    this.#chunks++;
    faultPoint('state-pull', this.step);
    this.#silence?.refresh();
    if (name === 'stateChunk') this.#part?.pull.accept(body);
    else this.#onDigest?.(body);
  }
}
