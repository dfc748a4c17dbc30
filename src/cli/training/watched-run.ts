/** Runs a run as a command: shows its events on stderr, and stops it on a signal. */
import type { TrainControl } from '../../api/run-control.js';
import type { TrainingEvent } from '../../api/training-event.js';
import type { RunSummary } from '../../run/folder/run-summary.js';
import { exitCodeOf, listenForStop } from '../stop-signals.js';
import { Progress } from './progress.js';

export interface WatchedRun {
  readonly events: (control: TrainControl) => AsyncIterable<TrainingEvent>;
  /** Also show which workers join and leave, because this command did not start them. */
  readonly comings: boolean;
}

/**
 * Runs it to its end with progress on stderr. If a signal stops it, the exit code is the one that shells use
 * for that signal.
 */
export async function watchedRun({ events, comings }: WatchedRun): Promise<RunSummary> {
  const progress = new Progress(process.stderr, { comings });
  const [stop, kill] = [new AbortController(), new AbortController()];
  const signals = listenForStop({
    supervised: false,
    onStop: (signal) => {
      progress.note(`${signal}: a checkpoint of the last finished step, then the end (again to end at once)`);
      stop.abort(`stopped by ${signal}`);
    },
    onEnd: () => kill.abort(),
  });
  try {
    let summary: RunSummary | null = null;
    for await (const event of events({ signal: stop.signal, kill: kill.signal })) {
      if (event.kind === 'end') summary = event.summary;
      else progress.show(event);
    }
    if (summary === null) throw new Error('a run has ended without its last event');
    const signal = signals.given();
    // The exit code of a shell for a command that a signal ended, so that a command after && does not run.
    if (signal !== null && summary.reason === stop.signal.reason) process.exitCode = exitCodeOf(signal);
    return summary;
  } finally {
    progress.stop();
    signals.release();
  }
}
