/** The messages and shared memory between the training thread and the communication thread. */
import type { Body, Message, MessageName } from '../../wire/codec.js';
import type { PlainError } from '../../errors/errors.js';
import type { BoundTo } from '../../host/network.js';
import type { StateFetched } from './state-fetch.js';
import type { WorkerFigures } from '../../host/metrics/worker-metrics.js';

export interface LinkSettings {
  readonly coordinator: string;
  /** Memory of the StatusBoard. */
  readonly status: SharedArrayBuffer;
  /** How long the coordinator may be silent before this worker gives up. */
  readonly coordinatorTimeoutMs: number;
  /** The same before its first message: it may not have started yet. */
  readonly connectTimeoutMs: number;
  /** The process with which this one ends, or null. */
  readonly parentPid: number | null;
  /** The address on which /metrics is served, or null. */
  readonly metricsListen: string | null;
}

export interface ReduceTask {
  readonly step: number;
  readonly generation: number;
  readonly ring: Body<'stepPlan'>['ring'];
  readonly worker: number;
  readonly timeoutMs: number;
}

/** The state of a step, and the peers that hold it. */
export interface StateTask {
  readonly step: number;
  readonly generation: number;
  /** All of them hold the state, so one is enough. */
  readonly sources: readonly string[];
}

export interface ReduceResult {
  /** SHA-256 over the reduced buffer. */
  readonly digest: Uint8Array;
  readonly waitMs: number;
  readonly sumMs: number;
  readonly totalMs: number;
  /** Time of the digest, not in totalMs. */
  readonly digestMs: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** Buffers that the communication thread reads and writes. */
export interface SharedState {
  readonly kind: 'exact' | 'fp32';
  /** This worker's sum; the ring reads it. */
  readonly mine: SharedArrayBuffer;
  /** The sum over all workers; the ring writes it. */
  readonly reduced: SharedArrayBuffer;
  /** Parts of the state that coordinator and peers may take, by name. */
  readonly parts: Readonly<Record<string, SharedArrayBuffer>>;
}

/** Questions of the training thread: name, argument, answer. */
export interface LinkCalls {
  attach: { argument: SharedState; answer: null };
  /** Opens the sockets that other workers connect to, in place of earlier ones. */
  openRing: {
    argument: { transport: 'tcp' | 'ipc'; where: BoundTo; runToken: string };
    answer: { ringEndpoint: string; stateEndpoint: string };
  };
  reduce: { argument: ReduceTask; answer: ReduceResult };
  /** Pulls a part from the coordinator into `target`, or into new memory. */
  pull: { argument: { part: string; target: SharedArrayBuffer | null }; answer: Uint8Array };
  /** Pulls all parts of the state from peers, in place. */
  pullState: { argument: StateTask; answer: StateFetched };
  close: { argument: null; answer: null };
}

export type CallName = keyof LinkCalls;

export type ToLink =
  | { readonly kind: 'send'; readonly name: MessageName; readonly body: unknown }
  | { readonly kind: 'call'; readonly id: number; readonly name: CallName; readonly argument: unknown }
  | { readonly kind: 'observe'; readonly figures: WorkerFigures }
  | { readonly kind: 'log'; readonly line: string };

export type FromLink =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly id: number; readonly failure: PlainError }
  | { readonly kind: 'opened'; readonly metricsAddress: string }
  | { readonly kind: 'lost'; readonly failure: PlainError };

/** The communication thread as the training thread sees it. */
export interface LinkThread {
  /** Called once; messages that were posted before are not lost. */
  start(events: {
    readonly onMessage: (message: FromLink) => void;
    readonly onError: (error: Error) => void;
    readonly onExit: () => void;
  }): void;
  post(message: ToLink): void;
  /** Ends the thread, whatever it is doing. */
  terminate(): void;
}
