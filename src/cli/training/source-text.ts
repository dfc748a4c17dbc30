/** Says for people which weights a run started from. */
import type { RunConfig } from '../../run/config/schema.js';

/** Digits of a commit, and of a digest, that are enough to tell one from another by eye. */
const COMMIT_DIGITS = 7;
const DIGEST_DIGITS = 12;

/** For example `hf:OWNER/NAME at c0ffee0, sha256 1a2b3c4d5e6f`; null for a run from its seed. */
export function sourceText({
  initFrom,
  initCommit,
  initDigest,
}: Pick<RunConfig, 'initFrom' | 'initCommit' | 'initDigest'>): string | null {
  if (initFrom === null) return null;
  const commit = initCommit === null ? '' : ` at ${initCommit.slice(0, COMMIT_DIGITS)}`;
  const digest = initDigest === null ? '' : `, sha256 ${initDigest.slice(0, DIGEST_DIGITS)}`;
  return `${initFrom}${commit}${digest}`;
}
