/** `runWorker`: computes for a coordinator, in this process. */
import { statSync } from 'node:fs';
import { coded } from '../errors/errors.js';
import { createLogger, type LogLevel } from '../host/logger.js';

/** Ports from `from` to `to`, both included. */
export interface Ports {
  readonly from: number;
  readonly to: number;
}

export interface WorkerOptions {
  /** `tcp://HOST:PORT` of the coordinator. */
  readonly coordinator: string;
  /** Where the images lie on this machine; without it the coordinator's folder, by its whole path. */
  readonly data?: string | undefined;
  /** `auto` (the default), `cpu` or `cuda:N`. */
  readonly device?: string;
  /** Of the native kernels; 0, the default, for one a processor. */
  readonly threads?: number;
  /** Its number in metrics, from 0, where that is free; without it the lowest that is. */
  readonly place?: number | undefined;
  /** HOST:PORT for /metrics, `auto` (the default) for a free port, or `none`. */
  readonly metricsListen?: string;
  /** The host by which others reach this worker; without it the address that faces the coordinator. */
  readonly advertise?: string | undefined;
  /** For other workers, two for each worker of this machine; without it any free ones. */
  readonly ringPorts?: Ports | undefined;
  /** Milliseconds to wait for a coordinator that has died to be started again, 600,000 where missing. */
  readonly coordinatorTimeoutMs?: number;
  /** Milliseconds to wait for the coordinator's first word, 60,000 where missing. */
  readonly connectTimeoutMs?: number;
  /** End when the parent process ends. */
  readonly supervised?: boolean;
  /** What is logged: `info` and above where missing. */
  readonly logLevel?: LogLevel;
  /** Given every line of its log, JSON with an end of line. Without it the log goes to the coordinator alone. */
  readonly onLog?: (line: string) => void;
}

export interface WorkerControl {
  /** Aborted: it finishes the part under way, hands over what only it holds, and leaves. */
  readonly signal?: AbortSignal | undefined;
}

/** Why a worker's work is over. */
export interface WorkerEnd {
  /** The run ended as it should, or the worker left it as it was asked to. */
  readonly clean: boolean;
  readonly reason: string;
}

/**
 * Joins a run and works in it to its end, or until `control.signal` is aborted. While it computes, the thread that
 * called it is busy for as long as a micro-batch takes: give it a process or a worker thread of its own.
 * Sockets, decoding and heartbeats have threads of theirs, which are gone when this is settled.
 * @throws VitrailError, where it cannot join or go on: WORKER_REFUSED, COORDINATOR_*, DATA_*, DEVICE_*, BACKEND_*
 */
export async function runWorker(options: WorkerOptions, { signal }: WorkerControl = {}): Promise<WorkerEnd> {
  const { data, place, advertise, ringPorts, onLog } = options;
  if (data !== undefined && statSync(data, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw coded('DATA_NOT_A_DIRECTORY', { path: data });
  }
  const connected: { send: ((line: string) => void) | null } = { send: null };
  const log = createLogger('worker', options.logLevel ?? 'info', (line) => {
    onLog?.(line);
    connected.send?.(line.trimEnd());
  });
  // What it computes with takes half a second to load: programs that only coordinate are spared it.
  const { runWorker: work } = await import('../worker/worker.js');
  const { reason, clean } = await work({
    coordinator: options.coordinator,
    data: data ?? null,
    device: options.device ?? 'auto',
    threads: options.threads ?? 0,
    place: place ?? null,
    metricsListen: options.metricsListen ?? 'auto',
    advertise: advertise ?? null,
    ringPorts: ringPorts ?? null,
    supervised: options.supervised ?? false,
    coordinatorTimeoutMs: options.coordinatorTimeoutMs ?? 600_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 60_000,
    leave: signal ?? new AbortController().signal,
    onConnected: (send) => (connected.send = send),
    log,
  });
  log.info({ reason, clean }, 'stopped');
  return { reason, clean };
}
