/** Parses ranges of ports: 7100-7107, or one port. */
import { InvalidArgumentError } from 'commander';
import type { Ports } from '../../api/run-worker.js';

/** A worker listens on two ports for other workers: ring and state. */
const PORTS_OF_A_WORKER = 2;

export function portRange(text: string): Ports {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from < 1 || to > 65_535 || to - from + 1 < PORTS_OF_A_WORKER) {
    throw new InvalidArgumentError(
      `It has to be FROM-TO, ports of 1 to 65535, ${PORTS_OF_A_WORKER} for each worker of this machine: 7100-7107 for four.`,
    );
  }
  return { from, to };
}
