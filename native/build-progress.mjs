// Shows the progress of something long: on a terminal as one line that changes, else as a line from time to
// time.

import { clearInterval, setInterval } from 'node:timers';

const EVERY_MS = 10_000;

function seconds(startMs) {
  return `${Math.round((performance.now() - startMs) / 1000)} s`;
}

/**
 * The progress of `total` parts of `what`. Call `advance` after each part, and `end` after the last one or a
 * failure.
 */
export function buildProgress(what, total, { out = process.stderr, everyMs = EVERY_MS } = {}) {
  const startMs = performance.now();
  let done = 0;
  const write = (text) => out.write(out.isTTY === true ? `\r${text}\u001b[K` : `${text}\n`);
  const parts = () => (total > 1 ? `${done} of ${total} files, ` : '');
  const tell = () => write(`${what}: ${parts()}${seconds(startMs)}`);
  write(`${what}${total > 1 ? ` (${total} files)` : ''} ...`);
  const timer = setInterval(tell, out.isTTY === true ? 1000 : everyMs);
  return {
    advance() {
      done++;
      if (out.isTTY === true) tell();
    },
    end(good) {
      clearInterval(timer);
      write(`${what}: ${good ? 'done' : 'failed'} after ${seconds(startMs)}`);
      if (out.isTTY === true) out.write('\n');
    },
  };
}

/** Runs `action` and prints how long it took. */
export async function withProgress(what, action) {
  const progress = buildProgress(what, 1);
  let good = false;
  try {
    const result = await action();
    good = true;
    return result;
  } finally {
    progress.end(good);
  }
}
