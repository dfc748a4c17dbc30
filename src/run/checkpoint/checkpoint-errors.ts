/** Turns what the file system throws into the coded errors of checkpoints. */
import { coded, reasonOf, VitrailError } from '../../errors/errors.js';

function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}

/** The error of a failed read of `path`; a coded error passes as it is. */
export function readError(path: string, thrown: unknown): VitrailError {
  if (thrown instanceof VitrailError) return thrown;
  const code = systemCode(thrown);
  if (code === 'ENOENT' || code === 'ENOTDIR') return coded('CHECKPOINT_NOT_FOUND', { path });
  return coded('CHECKPOINT_UNREADABLE', { path, reason: reasonOf(thrown) });
}

/** The error of a failed write of `path` (no space, no permission, a file in the way ...). */
export function writeError(path: string, thrown: unknown): VitrailError {
  if (thrown instanceof VitrailError) return thrown;
  const error = coded('CHECKPOINT_WRITE_FAILED', { path, reason: reasonOf(thrown) });
  // The cause tells a caller that waits for space whether the disk was full.
  error.cause = thrown;
  return error;
}
