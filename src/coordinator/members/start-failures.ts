/**
 * Remembers why workers failed before they were ready. Their processes end a moment later, and the end of a
 * process alone says little. Pure.
 */
import type { ErrorCode, VitrailError } from '../../errors/errors.js';

/** How the program that has started a process knows it. */
export interface ProcessAddress {
  readonly host: string;
  readonly pid: number;
}

/**
 * Failures that every worker would have with the same data and options, so starting another worker does not
 * help.
 */
const OF_THE_RUN: readonly ErrorCode[] = ['DATA_BROKEN_IMAGE', 'LOSS_NOT_FINITE', 'GRADIENT_NOT_FINITE'];

export function isOfTheRun({ code }: VitrailError): boolean {
  return OF_THE_RUN.includes(code);
}

const keyOf = ({ host, pid }: ProcessAddress): string => `${pid} ${host}`;

export class StartFailures {
  readonly #errors = new Map<string, VitrailError>();

  note(process: ProcessAddress, error: VitrailError): void {
    this.#errors.set(keyOf(process), error);
  }

  /** The process is a member again, so its earlier failure does not explain what happens from now on. */
  forget(process: ProcessAddress): void {
    this.#errors.delete(keyOf(process));
  }

  of(process: ProcessAddress): VitrailError | undefined {
    return this.#errors.get(keyOf(process));
  }
}
