/**
 * Sends a worker's heartbeats. The same timer notices a silent coordinator and a parent process that has
 * ended.
 */
import { coded, plainError, type PlainError } from '../../errors/errors.js';
import type { Clock, Timer } from '../../host/clock.js';
import type { Body } from '../../wire/codec.js';
import type { LinkSettings } from './link-contract.js';
import type { StatusBoard } from './status-board.js';

/** Time between two heartbeats until a Welcome sets another. */
const FIRST_HEARTBEAT_MS = 500;
/** The most log lines that wait for the next heartbeat. */
const MOST_LOG_LINES = 20;
/** A worker that wants to leave waits this long for a coordinator that does not answer. */
const LEAVE_PATIENCE_MS = 3000;

export interface HeartbeatOptions {
  readonly clock: Clock;
  readonly settings: LinkSettings;
  readonly status: StatusBoard;
  /** Counts the progress of an all-reduce or a transfer. */
  readonly progress: () => Pick<Body<'heartbeat'>, 'generation' | 'messages'>;
  readonly send: (heartbeat: Body<'heartbeat'>) => void;
  /** The coordinator has been silent for too long; no more heartbeats are sent. */
  readonly onLost: (failure: PlainError) => void;
  /** This worker wants to leave, and the coordinator does not answer. */
  readonly onUnanswered: (reason: string) => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer;
  #logLines: string[] = [];
  #leaving = false;
  #heardAtMs: number;
  #heardOnce = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#heardAtMs = options.clock.now();
    this.#timer = options.clock.every(FIRST_HEARTBEAT_MS, () => this.#beat());
  }

  /** Sends heartbeats every `intervalMs` from now on. */
  everyMs(intervalMs: number): void {
    this.#timer.cancel();
    this.#timer = this.#options.clock.every(intervalMs, () => this.#beat());
  }

  /** The coordinator has said something. */
  hear(): void {
    this.#heardAtMs = this.#options.clock.now();
    this.#heardOnce = true;
  }

  /** Adds a log line to the next heartbeat. */
  log(line: string): void {
    this.#logLines.push(line);
    if (this.#logLines.length > MOST_LOG_LINES) this.#logLines.shift();
  }

  /** The coordinator was told that this worker leaves. */
  leave(): void {
    this.#leaving = true;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #beat(): void {
    const { clock, settings, status, progress, send, onLost, onUnanswered } = this.#options;
    const { parentPid, coordinatorTimeoutMs, connectTimeoutMs, coordinator: address } = settings;
    // The process that started this worker is gone. The training thread may still compute for a long time, so end at once.
    if (parentPid !== null && process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
    const silentMs = clock.now() - this.#heardAtMs;
    if (this.#leaving && silentMs > LEAVE_PATIENCE_MS) {
      this.#leaving = false;
      onUnanswered('left while the coordinator did not answer');
      return;
    }
    if (silentMs > (this.#heardOnce ? coordinatorTimeoutMs : connectTimeoutMs)) {
      this.stop();
      onLost(plainError(coded('COORDINATOR_UNREACHABLE', { address, waitedMs: Math.round(silentMs) })));
      return;
    }
    send({
      ...status.read(),
      ...progress(),
      logLines: this.#logLines.splice(0),
    });
  }
}
