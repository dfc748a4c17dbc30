/**
 * Transfers of the state: to peers and the coordinator if they ask for it, and from them if this worker does
 * not have it.
 */
import type { WorkerHost } from '../../host/host.js';
import { piecewiseDigest } from '../../run/checkpoint/piecewise-digest.js';
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';
import { noChunk, StatePull, stateChunk, type PieceRequest } from '../../wire/state-pull.js';
import type { BoundTo, QuestionListener } from '../../host/network.js';
import type { LinkCalls, SharedState } from './link-contract.js';
import { PartDigests } from './part-digests.js';
import { StateFetch } from './state-fetch.js';
import { serveState } from './state-server.js';
import type { StatusBoard } from './status-board.js';

export class StateTransfers {
  readonly #host: WorkerHost;
  readonly #status: StatusBoard;
  readonly #askCoordinator: (request: Body<'stateRequest'>) => void;
  #state: SharedState | null = null;
  readonly #offer = (part: string, step: number): Uint8Array | undefined => {
    // The training thread writes the state, so it is sent only while it does not change.
    const memory = this.#state?.parts[part];
    return memory === undefined || this.#status.state !== step ? undefined : new Uint8Array(memory);
  };
  readonly #digests: PartDigests;
  #server: QuestionListener | null = null;
  #runToken = '';
  #transfers = 0;
  #pull: StatePull | null = null;
  /** A fetch that was aborted is kept, because another plan for the same step continues it. */
  #fetch: StateFetch | null = null;

  constructor(
    host: WorkerHost,
    status: StatusBoard,
    askCoordinator: (request: Body<'stateRequest'>) => void,
  ) {
    this.#host = host;
    this.#status = status;
    this.#askCoordinator = askCoordinator;
    this.#digests = new PartDigests(host.clock, this.#offer);
  }

  /** @throws INTERNAL before `attach` */
  get state(): SharedState {
    if (this.#state === null) throw coded('INTERNAL', { reason: 'no state has been attached' });
    return this.#state;
  }

  /** Chunks that the current fetch has received. */
  get messages(): number {
    return this.#fetch?.messages ?? 0;
  }

  attach(state: SharedState): void {
    this.#state = state;
  }

  /** Opens the socket from which peers take the state, in place of an earlier one. @returns its address */
  async open(where: BoundTo, runToken: string): Promise<string> {
    await this.#server?.close();
    this.#runToken = runToken;
    this.#digests.forget();
    this.#server = await serveState(this.#host, where, runToken, this.#offer, this.#digests);
    return this.#server.endpoint;
  }

  /** Answers the coordinator's request for a chunk. */
  piece(request: Body<'stateRequest'>): Body<'stateChunk'> {
    const bytes = this.#offer(request.part, request.step);
    return bytes === undefined ? noChunk(request) : stateChunk(request, bytes);
  }

  /** The digests of all parts. No commit is under way, so nobody writes to the parts. */
  async partDigests(step: number): Promise<Body<'stateDigest'>['parts']> {
    const parts: { part: string; sha256: Uint8Array }[] = [];
    for (const [part, memory] of Object.entries(this.#state?.parts ?? {})) {
      const known = await this.#digests.of(part, step);
      parts.push({
        part,
        sha256: known ?? (await piecewiseDigest(this.#host.clock, new Uint8Array(memory))),
      });
    }
    return parts;
  }

  /** Gets a part from the coordinator. @throws STATE_TRANSFER_FAILED, RING_ABORTED */
  async pull({ part, target }: LinkCalls['pull']['argument']): Promise<Uint8Array> {
    const bytes = target === null ? null : new Uint8Array(target);
    const runToken = this.#runToken;
    const ask = (piece: PieceRequest): void => this.#askCoordinator({ ...piece, step: 0, runToken });
    const pull = new StatePull(this.#host.clock, ++this.#transfers, part, ask, bytes);
    this.#pull = pull;
    try {
      return await pull.run();
    } catch (thrown) {
      if (thrown instanceof VitrailError) throw thrown;
      const { step } = this.#status.read();
      throw coded('STATE_TRANSFER_FAILED', { step, problem: reasonOf(thrown) });
    } finally {
      this.#pull = null;
    }
  }

  /** Accepts a chunk from the coordinator. */
  accept(chunk: Body<'stateChunk'>): void {
    this.#pull?.accept(chunk);
  }

  /** Gets all parts from peers, in place. @throws STATE_TRANSFER_FAILED, RING_ABORTED */
  async fetch({
    step,
    sources,
  }: LinkCalls['pullState']['argument']): Promise<LinkCalls['pullState']['answer']> {
    const { parts } = this.state;
    if (this.#fetch?.step !== step) this.#fetch = new StateFetch(this.#host, step, this.#runToken, parts);
    this.#digests.forget();
    const fetched = await this.#fetch.run(sources);
    this.#fetch = null;
    return fetched;
  }

  /** Ends transfers from others. */
  callOff(error: Error): void {
    this.#fetch?.stop(error);
    this.#pull?.fail(error);
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }
}
