/** Turns the events of work that runs by itself into a stream for `for await`. */

/**
 * Work that reports events and ends by itself, or soon after `signal` is aborted.
 * @param tell reports an event. It never waits for the reader; events are kept until they are read
 */
export type Work<E> = (tell: (event: E) => void, signal: AbortSignal) => Promise<void>;

/** The reason of a stop when the loop over the events is left. */
const LEFT = 'stopped: nobody reads its events any more';

/**
 * Begins `work` when the first event is asked for. Leaving the loop aborts it and waits for its end.
 * @param outer aborts the work as well
 * @throws the error of the work, after all its events
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
  // The promise is awaited below, but may fail before that.
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
