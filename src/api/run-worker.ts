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
  /** The folder of the images on this machine; if missing, the absolute path that the coordinator has. */
  readonly data?: string | undefined;
  /** `auto` (the default), `cpu` or `cuda:N`. */
  readonly device?: string;
  /** Threads of the native kernels; 0, the default, for one on each processor. */
  readonly threads?: number;
  /** Its number in metrics, from 0, if that is free; if missing, the lowest free one. */
  readonly place?: number | undefined;
  /** HOST:PORT for /metrics, `auto` (the default) for a free port, or `none`. */
  readonly metricsListen?: string;
  /**
   * The host by which others reach this worker; if missing, the local address of its connection to the
   * coordinator.
   */
  readonly advertise?: string | undefined;
  /**
   * Ports for connections from other workers, two for each worker of this machine; if missing, any free
   * ports.
   */
  readonly ringPorts?: Ports | undefined;
  /** Milliseconds to wait for a coordinator that has died to be started again; 600,000 if missing. */
  readonly coordinatorTimeoutMs?: number;
  /** Milliseconds to wait for the coordinator's first message; 60,000 if missing. */
  readonly connectTimeoutMs?: number;
  /** End when the parent process ends. */
  readonly supervised?: boolean;
  /** The least important messages that are logged; `info` if missing. */
  readonly logLevel?: LogLevel;
  /**
   * Called with every line of its log, which is JSON with a line feed. If missing, only the coordinator gets
   * log lines.
   */
  readonly onLog?: (line: string) => void;
}

export interface WorkerControl {
  /**
   * If it is aborted, the worker finishes its part of the step, hands the state over if only it holds that,
   * and leaves.
   */
  readonly signal?: AbortSignal | undefined;
}

/** How a worker's work ended. */
export interface WorkerEnd {
  /** Whether the run ended without an error, or the worker left because it was asked to. */
  readonly clean: boolean;
  readonly reason: string;
}

/**
 * Joins a run and works in it to its end, or until `control.signal` is aborted. The calling thread is blocked while a
 * micro-batch is computed, so give each worker a process or a worker thread of its own. Sockets, decoding and heartbeats
 * have their own threads, which have ended when the promise is settled.
 * @throws VitrailError if it cannot join or go on: WORKER_REFUSED, COORDINATOR_*, DATA_*, DEVICE_*, BACKEND_*
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
  // The backends take half a second to load, and programs that only coordinate do not need them.
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
