/**
 * What the communication thread does: control messages, heartbeats, the ring, handing out state.
 * It keeps answering while the training thread computes, so a long kernel never looks like a death.
 */
import { piecewiseDigest } from '../../shared/checkpoint/piecewise-digest.js';
import { coded, plainError, reasonOf, VitrailError } from '../../shared/errors.js';
import { faultPoint } from '../../shared/fault-injection.js';
import { startHttpServer, type HttpServer } from '../../shared/http/http-server.js';
import { WorkerMetrics } from '../../shared/metrics/worker-metrics.js';
import type { Message } from '../../shared/protocol/codec.js';
import { noChunk, StatePull, stateChunk, type PieceRequest } from '../../shared/protocol/state-pull.js';
import { Ring, type ReduceRequest } from '../collective/ring.js';
import { vectorOf } from '../collective/vector.js';
import { ControlClient } from './control-client.js';
import type { CallName, FromLink, LinkCalls, LinkSettings, SharedState, ToLink } from './link-contract.js';
import { GpuWatch } from './gpu-figures.js';
import { StateFetch } from './state-fetch.js';
import { PartDigests } from './part-digests.js';
import { StateServer } from './state-server.js';
import { StatusBoard } from './status-board.js';

/** Between two heartbeats, until a Welcome says otherwise. */
const FIRST_HEARTBEAT_MS = 500;
/** Lines that wait for the next heartbeat. */
const MOST_LOG_LINES = 20;
/** A worker that wants to leave waits this long for a coordinator that does not answer. */
const LEAVE_PATIENCE_MS = 3000;
/** What is queued for a coordinator at the end has this long to leave. */
export const CLOSE_LINGER_MS = 300;

export class Communication {
  readonly #settings: LinkSettings;
  readonly #tell: (message: FromLink) => void;
  readonly #client: ControlClient;
  readonly #status: StatusBoard;
  #heartbeat: NodeJS.Timeout;
  readonly #metrics = new WorkerMetrics();
  #metricsServer: HttpServer | null = null;
  #gpus: GpuWatch | null = null;
  #state: SharedState | null = null;
  #ring: Ring | null = null;
  #generation = 0;
  #transfers = 0;
  #pull: StatePull | null = null;
  #stateServer: StateServer | null = null;
  readonly #offer = (part: string, step: number): Uint8Array | undefined => {
    // The state is written by the training thread: only what stands still is given away.
    const memory = this.#state?.parts[part];
    return memory === undefined || this.#status.state !== step ? undefined : new Uint8Array(memory);
  };
  readonly #digests = new PartDigests(this.#offer);
  #runToken = '';
  /** Kept when it is called off: another plan for the same step goes on with it. */
  #fetch: StateFetch | null = null;
  #logLines: string[] = [];
  #leaving = false;
  /** Of the all-reduce under way. */
  #abort: AbortController | null = null;
  #heardAtMs = performance.now();
  #heardOnce = false;

  constructor(settings: LinkSettings, tell: (message: FromLink) => void) {
    this.#settings = settings;
    this.#tell = tell;
    this.#status = new StatusBoard(settings.status);
    this.#client = ControlClient.connect(settings.coordinator, {
      onMessage: (message) => this.#receive(message),
      // A coordinator of another kind: whatever it says is not for us.
      onGarbage: () => undefined,
    });
    this.#heartbeat = setInterval(() => this.#beat(), FIRST_HEARTBEAT_MS);
  }

  async open(): Promise<void> {
    const { metricsListen } = this.#settings;
    if (metricsListen !== null) {
      this.#metricsServer = await startHttpServer(metricsListen, {
        '/metrics': async () => this.#metrics.page(),
        '/healthz': () => ({ contentType: 'text/plain', body: 'ok\n' }),
      });
    }
    this.#gpus = new GpuWatch((figures) => this.#metrics.observeGpus(figures));
    this.#tell({ kind: 'opened', metricsAddress: this.#metricsServer?.address ?? '' });
  }

  async handle(message: ToLink): Promise<void> {
    switch (message.kind) {
      case 'send':
        if (message.name === 'leave') this.#leaving = true;
        this.#client.send(message.name, message.body as never);
        return;
      case 'observe':
        this.#metrics.observe(message.figures);
        return;
      case 'log':
        this.#logLines.push(message.line);
        if (this.#logLines.length > MOST_LOG_LINES) this.#logLines.shift();
        return;
      case 'call':
        try {
          const answer = await this.#calls[message.name](message.argument as never);
          this.#tell({ kind: 'answer', id: message.id, answer });
        } catch (error) {
          this.#tell({ kind: 'refused', id: message.id, failure: plainError(error) });
        }
    }
  }

  readonly #calls: {
    [N in CallName]: (argument: LinkCalls[N]['argument']) => Promise<LinkCalls[N]['answer']>;
  } = {
    attach: (state) => {
      this.#state = state;
      return Promise.resolve(null);
    },
    openRing: async (where) => this.#openRing(where),
    reduce: async (task) => this.#reduce(task),
    pull: async ({ part, target }) => this.#pullPart(part, target),
    pullState: async (task) => this.#pullState(task),
    close: async () => this.#close(),
  };

  async #openRing({
    transport,
    host,
    runToken,
  }: LinkCalls['openRing']['argument']): Promise<LinkCalls['openRing']['answer']> {
    this.#ring?.close();
    await this.#stateServer?.close();
    this.#generation = 0;
    this.#runToken = runToken;
    this.#ring = await Ring.open({ transport, host, runToken: BigInt(`0x${runToken}`) });
    this.#digests.forget();
    this.#stateServer = await StateServer.listen(host, runToken, this.#offer, this.#digests);
    return { ringEndpoint: this.#ring.endpoint, stateEndpoint: this.#stateServer.endpoint };
  }

  /** @throws RING_ABORTED where a newer plan has come in */
  #refuseOld({ step, generation }: { readonly step: number; readonly generation: number }): void {
    const newest = this.#status.newestGeneration;
    if (newest <= generation) return;
    throw coded('RING_ABORTED', { step, generation, reason: `generation ${newest} is there` });
  }

  async #pullState(task: LinkCalls['pullState']['argument']): Promise<LinkCalls['pullState']['answer']> {
    this.#refuseOld(task);
    const { step, sources } = task;
    if (this.#state === null) throw coded('INTERNAL', { reason: 'pullState before attach' });
    if (this.#fetch?.step !== step) this.#fetch = new StateFetch(step, this.#runToken, this.#state.parts);
    this.#digests.forget();
    const fetch = this.#fetch;
    const fetched = await fetch.run(sources);
    this.#fetch = null;
    return fetched;
  }

  async #reduce(task: LinkCalls['reduce']['argument']): Promise<LinkCalls['reduce']['answer']> {
    const { ring, generation, step, timeoutMs } = task;
    if (this.#state === null || this.#ring === null)
      throw coded('INTERNAL', { reason: 'reduce before attach' });
    this.#refuseOld(task);
    const rank = ring.findIndex((m) => m.worker === task.worker);
    const next = ring[(rank + 1) % ring.length];
    if (rank < 0 || next === undefined) throw coded('INTERNAL', { reason: 'this worker is not in the ring' });
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#ring.join({ generation, rank, ranks: ring.length, nextEndpoint: next.endpoint });
    }
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const report = await this.#ring.reduce({ step, ...views(this.#state), timeoutMs, signal });
    this.#metrics.dropped(report.dropped);
    const startMs = performance.now();
    const digest = await piecewiseDigest(new Uint8Array(this.#state.reduced));
    const digestMs = performance.now() - startMs;
    const { waitMs, sumMs, totalMs, bytesSent, bytesReceived } = report;
    return { digest, waitMs, sumMs, totalMs, digestMs, bytesSent, bytesReceived };
  }

  async #pullPart(part: string, target: SharedArrayBuffer | null): Promise<Uint8Array> {
    const bytes = target === null ? null : new Uint8Array(target);
    const runToken = this.#runToken;
    const ask = (piece: PieceRequest): void =>
      this.#client.send('stateRequest', { ...piece, step: 0, runToken });
    const pull = new StatePull(++this.#transfers, part, ask, bytes);
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

  #receive(message: Message): void {
    this.#heardAtMs = performance.now();
    this.#heardOnce = true;
    switch (message.name) {
      case 'heartbeatReply':
        return;
      case 'stateChunk':
        this.#pull?.accept(message.body);
        return;
      case 'stateRequest': {
        faultPoint('checkpoint-serve', message.body.step);
        const bytes = this.#offer(message.body.part, message.body.step);
        const chunk = bytes === undefined ? noChunk(message.body) : stateChunk(message.body, bytes);
        this.#client.send('stateChunk', chunk);
        return;
      }
      case 'digestRequest':
        void this.#tellDigests(message.body.step);
        return;
      default:
        this.#takeNotice(message);
        this.#tell({ kind: 'message', message });
    }
  }

  /** Ends what a message makes pointless; training reads it later. */
  #takeNotice(message: Message): void {
    switch (message.name) {
      case 'welcome':
        clearInterval(this.#heartbeat);
        this.#heartbeat = setInterval(() => this.#beat(), message.body.heartbeatMs);
        return;
      case 'stepPlan': {
        const { generation } = message.body;
        if (generation <= this.#status.newestGeneration) return;
        this.#status.announce(generation);
        this.#callOff(`generation ${generation} is there`);
        return;
      }
      case 'whoAreYou':
      case 'stop':
        this.#status.callOff();
        this.#callOff(`the coordinator said ${message.name}`);
        return;
      default:
    }
  }

  #callOff(reason: string): void {
    this.#abort?.abort(reason);
    const { step } = this.#status.read();
    const error = coded('RING_ABORTED', { step, generation: this.#generation, reason });
    this.#fetch?.stop(error);
    this.#pull?.fail(error);
  }

  /** Of every part. No commit is under way, so nobody writes to them. */
  async #tellDigests(step: number): Promise<void> {
    const parts: { part: string; sha256: Uint8Array }[] = [];
    for (const [part, memory] of Object.entries(this.#state?.parts ?? {})) {
      const known = await this.#digests.of(part, step);
      parts.push({ part, sha256: known ?? (await piecewiseDigest(new Uint8Array(memory))) });
    }
    this.#client.send('stateDigest', { step, parts });
  }

  #beat(): void {
    const { parentPid } = this.#settings;
    // Whoever started this worker is gone. The training thread may compute for a long time yet: end at once.
    if (parentPid !== null && process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
    const { coordinatorTimeoutMs, connectTimeoutMs, coordinator: address } = this.#settings;
    const silentMs = performance.now() - this.#heardAtMs;
    if (this.#leaving && silentMs > LEAVE_PATIENCE_MS) {
      this.#leaving = false;
      const reason = 'left while the coordinator did not answer';
      this.#receive({ name: 'stop', body: { clean: true, reason } });
      return;
    }
    if (silentMs > (this.#heardOnce ? coordinatorTimeoutMs : connectTimeoutMs)) {
      clearInterval(this.#heartbeat);
      const error = coded('COORDINATOR_UNREACHABLE', { address, waitedMs: Math.round(silentMs) });
      this.#tell({ kind: 'lost', failure: plainError(error) });
      return;
    }
    this.#client.send('heartbeat', {
      ...this.#status.read(),
      generation: this.#generation,
      messages: (this.#ring?.received ?? 0) + (this.#fetch?.messages ?? 0),
      logLines: this.#logLines.splice(0),
    });
  }

  async #close(): Promise<null> {
    clearInterval(this.#heartbeat);
    this.#gpus?.close();
    this.#ring?.close();
    await this.#stateServer?.close();
    await this.#metricsServer?.close();
    await this.#client.close(CLOSE_LINGER_MS);
    return null;
  }
}

/** The ring's two buffers, typed as the reduction adds. */
function views({ kind, mine, reduced }: SharedState): Pick<ReduceRequest, 'kind' | 'mine' | 'out'> {
  return { kind, mine: vectorOf(kind, mine), out: vectorOf(kind, reduced) };
}
