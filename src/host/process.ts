/** Who a process is, for those who meet it in a run folder: this one, or one of a simulation. */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { processPlace, processStart, processState } from './process-place.js';
import { hostForOthers, whereabouts } from './whereabouts.js';

/** A process as it is noted in a file. */
export interface NotedProcess {
  readonly pid: number;
  /** Where that number means this process, empty where the system does not tell. */
  readonly place: string;
  /** When it began: a number is given again, not with the same beginning. */
  readonly startedAt: string;
}

export interface ProcessIdentity extends NotedProcess {
  readonly hostName: string;
  /** Equal where 127.0.0.1 is the same place; empty where the system does not tell. */
  readonly network: string;
  /** The name or address by which other machines reach this one. @param advertise what the user says it is */
  hostForOthers(advertise: string | null): string;
  /** Whether a process that was noted runs, `unknown` where that cannot be told from here. */
  stateOf(noted: NotedProcess): 'runs' | 'gone' | 'unknown';
  /** A UUID that nobody else has. */
  randomId(): string;
  /** So many random bytes as hex digits. */
  randomHex(bytes: number): string;
}

/** What follows from /proc is read when it is first asked for. */
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
