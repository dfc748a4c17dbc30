/** Why workers failed before they were ready: their processes end a moment later, and that alone says little. Pure. */
import type { ErrorCode, VitrailError } from '../../errors/errors.js';

/** What names a process to whoever has started it. */
export interface ProcessAddress {
  readonly host: string;
  readonly pid: number;
}

/** Failures that every worker would meet with the same data and options: another worker is no help. */
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

  /** It is back: what ended its place before is no reason for what follows. */
  forget(process: ProcessAddress): void {
    this.#errors.delete(keyOf(process));
  }

  of(process: ProcessAddress): VitrailError | undefined {
    return this.#errors.get(keyOf(process));
  }
}
