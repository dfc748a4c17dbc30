/**
 * The work of the communication thread: control messages, heartbeats, the ring, transfers of state. It
 * answers even while the training thread computes, so a long kernel does not look like a dead worker.
 */
import { coded, plainError } from '../../errors/errors.js';
import { faultPoint } from '../../host/fault-injection.js';
import type { WorkerHost } from '../../host/host.js';
import { startHttpServer, type HttpServer } from '../../host/http-server.js';
import { WorkerMetrics } from '../../host/metrics/worker-metrics.js';
import type { Message } from '../../wire/codec.js';
import type { Connection } from '../../host/network.js';
import { GpuWatch } from './gpu-figures.js';
import { Heartbeat } from './heartbeat.js';
import type { CallName, FromLink, LinkCalls, LinkSettings, ToLink } from './link-contract.js';
import { RingSeat } from './ring-seat.js';
import { StateTransfers } from './state-transfers.js';
import { StatusBoard } from './status-board.js';

/** How long messages that are queued at the end may take to reach the coordinator. */
export const CLOSE_LINGER_MS = 300;

export class Communication {
  readonly #settings: LinkSettings;
  readonly #tell: (message: FromLink) => void;
  readonly #client: Connection;
  readonly #status: StatusBoard;
  readonly #heartbeat: Heartbeat;
  readonly #transfers: StateTransfers;
  readonly #seat: RingSeat;
  readonly #metrics = new WorkerMetrics();
  #metricsServer: HttpServer | null = null;
  #gpus: GpuWatch | null = null;

  constructor(host: WorkerHost, settings: LinkSettings, tell: (message: FromLink) => void) {
    this.#settings = settings;
    this.#tell = tell;
    this.#status = new StatusBoard(settings.status);
    const { coordinator } = settings;
    this.#client = host.network.connectControl(coordinator, (message) => this.#receive(message));
    this.#seat = new RingSeat(host);
    this.#transfers = new StateTransfers(host, this.#status, (request) =>
      this.#client.send('stateRequest', request),
    );
    this.#heartbeat = new Heartbeat({
      clock: host.clock,
      settings,
      status: this.#status,
      progress: () => ({
        generation: this.#seat.generation,
        messages: this.#seat.messages + this.#transfers.messages,
      }),
      send: (heartbeat) => this.#client.send('heartbeat', heartbeat),
      onLost: (failure) => this.#tell({ kind: 'lost', failure }),
      onUnanswered: (reason) => this.#receive({ name: 'stop', body: { clean: true, reason } }),
    });
  }

  async open(): Promise<void> {
    const { metricsListen } = this.#settings;
    if (metricsListen !== null) {
      this.#metricsServer = await startHttpServer(metricsListen, {
        '/metrics': async () => this.#metrics.page(),
        '/healthz': () => ({ contentType: 'text/plain', body: 'ok\n' }),
      });
    }
    // Without a metrics page nobody reads these figures.
    if (metricsListen !== null) {
      this.#gpus = new GpuWatch((figures) => this.#metrics.observeGpus(figures));
    }
    this.#tell({ kind: 'opened', metricsAddress: this.#metricsServer?.address ?? '' });
  }

  async handle(message: ToLink): Promise<void> {
    switch (message.kind) {
      case 'send':
        if (message.name === 'leave') this.#heartbeat.leave();
        this.#client.send(message.name, message.body as never);
        return;
      case 'observe':
        this.#metrics.observe(message.figures);
        return;
      case 'log':
        this.#heartbeat.log(message.line);
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
      this.#transfers.attach(state);
      return Promise.resolve(null);
    },
    openRing: async (seat) => ({
      ringEndpoint: await this.#seat.open(seat),
      stateEndpoint: await this.#transfers.open(seat.where, seat.runToken),
    }),
    reduce: async (task) => {
      this.#refuseOld(task);
      return this.#seat.reduce(task, this.#transfers.state, (count) => this.#metrics.dropped(count));
    },
    pull: async (what) => this.#transfers.pull(what),
    pullState: async (task) => {
      this.#refuseOld(task);
      return this.#transfers.fetch(task);
    },
    close: async () => this.#close(),
  };

  /** @throws RING_ABORTED if a newer plan has come in */
  #refuseOld({ step, generation }: { readonly step: number; readonly generation: number }): void {
    const newest = this.#status.newestGeneration;
    if (newest <= generation) return;
    throw coded('RING_ABORTED', { step, generation, reason: `generation ${newest} has begun` });
  }

  #receive(message: Message): void {
    this.#heartbeat.hear();
    switch (message.name) {
      case 'heartbeatReply':
        return;
      case 'stateChunk':
        this.#transfers.accept(message.body);
        return;
      case 'stateRequest':
        faultPoint('checkpoint-serve', message.body.step);
        this.#client.send('stateChunk', this.#transfers.piece(message.body));
        return;
      case 'digestRequest':
        void this.#tellDigests(message.body.step);
        return;
      default:
        this.#takeNotice(message);
        this.#tell({ kind: 'message', message });
    }
  }

  async #tellDigests(step: number): Promise<void> {
    this.#client.send('stateDigest', { step, parts: await this.#transfers.partDigests(step) });
  }

  /** Ends work that a message has made pointless. The training thread reads the message later. */
  #takeNotice(message: Message): void {
    switch (message.name) {
      case 'welcome':
        this.#heartbeat.everyMs(message.body.heartbeatMs);
        return;
      case 'stepPlan': {
        const { generation } = message.body;
        if (generation <= this.#status.newestGeneration) return;
        this.#status.announce(generation);
        this.#callOff(`generation ${generation} has begun`);
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
    this.#seat.abort(reason);
    const { step } = this.#status.read();
    this.#transfers.callOff(coded('RING_ABORTED', { step, generation: this.#seat.generation, reason }));
  }

  async #close(): Promise<null> {
    this.#heartbeat.stop();
    this.#gpus?.close();
    this.#seat.close();
    await this.#transfers.close();
    await this.#metricsServer?.close();
    await this.#client.finish(CLOSE_LINGER_MS);
    return null;
  }
}
