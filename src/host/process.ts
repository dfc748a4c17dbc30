/**
 * The identity of a process, by which others recognise it in a run folder: this process, or one of a
 * simulation.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { processPlace, processStart, processState } from './process-place.js';
import { hostForOthers, whereabouts } from './whereabouts.js';

/** What a file says of a process. */
export interface NotedProcess {
  readonly pid: number;
  /** The boot and pid namespace in which the pid names this process; empty if the system does not tell. */
  readonly place: string;
  /** When it started. A pid may be used again, but not with the same start. */
  readonly startedAt: string;
}

export interface ProcessIdentity extends NotedProcess {
  readonly hostName: string;
  /** Equal for two processes if 127.0.0.1 is the same for both; empty if the system does not tell. */
  readonly network: string;
  /** The name or address by which other machines reach this one. @param advertise what the user says it is */
  hostForOthers(advertise: string | null): string;
  /** Whether a process that was noted still runs; `unknown` if that cannot be told from here. */
  stateOf(noted: NotedProcess): 'runs' | 'gone' | 'unknown';
  /** A random UUID. */
  randomId(): string;
  /** So many random bytes as hex digits. */
  randomHex(bytes: number): string;
}

/** /proc is read only when its facts are first asked for. */
class ThisProcess implements ProcessIdentity {
  readonly pid = process.pid;
  #place: string | null = null;
  #startedAt: string | null = null;

  get place(): string {
    this.#place ??= processPlace();
    return this.#place;
  }

  get startedAt(): string {
    this.#startedAt ??= processStart(process.pid);
    return this.#startedAt;
  }

  get hostName(): string {
    return hostname();
  }

  get network(): string {
    return whereabouts().network;
  }

  hostForOthers(advertise: string | null): string {
    return hostForOthers(advertise);
  }

  stateOf(noted: NotedProcess): 'runs' | 'gone' | 'unknown' {
    return processState(noted, this.place);
  }

  randomId(): string {
    return randomUUID();
  }

  randomHex(bytes: number): string {
    return randomBytes(bytes).toString('hex');
  }
}

export const thisProcess: ProcessIdentity = new ThisProcess();
