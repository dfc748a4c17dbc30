/** Asks a coordinator for its status page. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunStatus } from '../../coordinator/watch/run-pages.js';
import { reasonOf } from '../../errors/errors.js';

const ANSWER_TIMEOUT_MS = 2000;

export type StatusAnswer =
  | { readonly kind: 'answered'; readonly status: RunStatus }
  /** @property gone whether nothing listens there; false if the address cannot be reached at all */
  | { readonly kind: 'silent'; readonly reason: string; readonly gone: boolean };

/** Why a connection failed, by the system's error code. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name does not resolve here',
  EAI_AGAIN: 'the name does not resolve here: no name server answers',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to that network',
};

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
  return cause?.code ?? '';
}

/** @param address host:port */
export async function askStatus(address: string): Promise<StatusAnswer> {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    // A name server that does not answer keeps fetch busy for longer than its signal.
    const late = delay(ANSWER_TIMEOUT_MS, null, { ref: false });
    const answer = await Promise.race([fetch(`http://${address}/status`, { signal: timeout }), late]);
    if (answer === null) return silent(address, `no answer within ${ANSWER_TIMEOUT_MS} ms`);
    if (!answer.ok) return silent(address, `what answers there is no coordinator (${answer.status})`);
    return { kind: 'answered', status: (await answer.json()) as RunStatus };
  } catch (error) {
    if (timeout.aborted) return silent(address, `no answer within ${ANSWER_TIMEOUT_MS} ms`);
    const code = codeOf(error);
    return silent(address, REASONS[code] ?? `${reasonOf(error)} ${code}`.trim(), code === 'ECONNREFUSED');
  }
}

function silent(address: string, reason: string, gone = false): StatusAnswer {
  return { kind: 'silent', reason: `its page at ${address}: ${reason}`, gone };
}
