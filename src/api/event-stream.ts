/** The events of work that goes on by itself, to be read with `for await`. */

/**
 * Work that tells events and ends by itself, or soon after `signal` is aborted.
 * @param tell never waits for the reader: events are kept until they are read
 */
export type Work<E> = (tell: (event: E) => void, signal: AbortSignal) => Promise<void>;

/** What a stop is put down to where a loop over the events is left. */
const LEFT = 'stopped: nobody reads its events any more';

/**
 * Begins `work` when the first event is asked for. Whoever leaves the loop aborts it, and waits for its end.
 * @param outer aborts the work as well
 * @throws what the work fails with, after all that it told
 */
export async function* eventStream<E>(
  outer: AbortSignal | undefined,
  work: Work<E>,
): AsyncGenerator<E, void, undefined> {
  const own = new AbortController();
  const pass = (): void => own.abort(outer?.reason);
  outer?.addEventListener('abort', pass);
  if (outer?.aborted === true) pass();

  const waiting: E[] = [];
  let wake: () => void = () => undefined;
  const tell = (event: E): void => {
    waiting.push(event);
    wake();
  };
  const state = { over: false };
  const end = work(tell, own.signal).finally(() => {
    state.over = true;
    wake();
  });
  // It is awaited below, perhaps later than it fails.
  end.catch(() => undefined);
  try {
    for (;;) {
      yield* waiting.splice(0);
      if (waiting.length > 0) continue;
      if (state.over) break;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    own.abort(LEFT);
    outer?.removeEventListener('abort', pass);
    await end;
  }
}
