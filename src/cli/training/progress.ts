/** Shows a run on a terminal: a bar for the epoch under way, a line for every finished epoch. */
import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type { ClusterEvent } from '../../coordinator/members/cluster-event.js';
import type {
  EpochObserved,
  FinalTestObserved,
  RunStarted,
  StepObserved,
  TrainingObserver,
} from '../../coordinator/watch/observer.js';
import { accuracy, meanLoss, NO_TOTALS, addTotals, type Totals } from '../../run/journal/run-state.js';
import { counted, imagesPerSecond } from '../../errors/wording.js';

const FORMAT = 'epoch {epoch} [{bar}] {value}/{total} steps  {rate}  loss {loss}  {left} left';

/** Without a terminal to draw on, a line this often. */
const LINE_EVERY_MS = 20_000;

/** What of the workers' coming and going is worth a line. */
const SHOWN: ReadonlySet<string> = new Set([
  ...[
    'lost',
    'refused',
    'garbage',
    'hung',
    'expelled',
    'stalled',
    'straggler',
    'waiting',
    'unreachable',
    'leaving',
    'back',
    'disk-full',
  ],
]);

/** Also shown where workers come by themselves. */
const COMINGS: ReadonlySet<string> = new Set(['joined', 'ready', 'left']);

/** For people: 45 s, 12 min, 3.5 h. */
function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

function figures(name: string, totals: Totals): string {
  return `${name} loss ${meanLoss(totals).toFixed(4)} top-1 ${percent(accuracy(totals))}`;
}

export class Progress implements Partial<TrainingObserver> {
  readonly #out: NodeJS.WriteStream;
  readonly #comings: boolean;
  #bar: SingleBar | null = null;
  #run: RunStarted | null = null;
  #totals: Totals = NO_TOTALS;
  #epochStartMs = performance.now();
  #runStartMs = performance.now();
  #lastLineMs = performance.now();

  /** @param options.comings also show who joins and leaves: nobody here has started the workers */
  constructor(out: NodeJS.WriteStream, options: { readonly comings: boolean }) {
    this.#out = out;
    this.#comings = options.comings;
  }

  onStart(event: RunStarted): void {
    this.#run = event;
    this.#epochStartMs = performance.now();
    this.#runStartMs = this.#epochStartMs;
    const { name, parameters, workers, backend, steps, fromStep } = event;
    const resumed = fromStep > 0 ? `, going on from step ${fromStep}` : '';
    const millions = (parameters / 1e6).toFixed(2);
    this.#line(
      `${pc.bold(name)} ${millions} M parameters, ${counted(workers, 'worker')} (${backend}), ${counted(steps, 'step')}${resumed}`,
    );
  }

  onStep({ epoch, step, totals }: StepObserved): void {
    this.#totals = addTotals(this.#totals, totals);
    if (this.#run === null) return;
    const nowMs = performance.now();
    const { stepsPerEpoch, steps, fromStep } = this.#run;
    const total = Math.min(stepsPerEpoch, steps - epoch * stepsPerEpoch);
    const done = step + 1 - epoch * stepsPerEpoch;
    const left = ((nowMs - this.#runStartMs) / (step + 1 - fromStep)) * (steps - step - 1);
    const payload = {
      epoch: epoch + 1,
      rate: imagesPerSecond((this.#totals.samples * 1000) / (nowMs - this.#epochStartMs)),
      loss: meanLoss(this.#totals).toFixed(4),
      left: duration(left),
    };
    if (!this.#out.isTTY) {
      if (nowMs - this.#lastLineMs < LINE_EVERY_MS || done === total) return;
      const { rate, loss } = payload;
      this.#line(`epoch ${epoch + 1}, step ${done} of ${total}: ${rate}, loss ${loss}, ${payload.left} left`);
    } else if (this.#bar === null) {
      this.#bar = new SingleBar({ format: FORMAT, stream: this.#out, clearOnComplete: true, barsize: 30 });
      this.#bar.start(total, done, payload);
    } else {
      this.#bar.update(done, payload);
    }
  }

  onEpoch({ epoch, train, split, evaluated, improved }: EpochObserved): void {
    const seconds = (performance.now() - this.#epochStartMs) / 1000;
    const rate = imagesPerSecond(train.samples / seconds);
    const parts = [
      `epoch ${epoch + 1}`,
      figures('train', train),
      ...(evaluated === null ? [] : [figures(split, evaluated)]),
    ];
    const line = `${parts.join('  ')}  ${pc.dim(`${seconds.toFixed(1)} s, ${rate}`)}`;
    this.#line(improved ? `${line} ${pc.green('best')}` : line);
    this.#totals = NO_TOTALS;
    this.#epochStartMs = performance.now();
  }

  onFinalTest({ best, test }: FinalTestObserved): void {
    this.#line(figures(`${best ? 'best' : 'last'} weights: test`, test));
  }

  onClusterEvent({ kind, text, atEnd }: ClusterEvent): void {
    if (SHOWN.has(kind)) this.#line(pc.yellow(text));
    else if (this.#comings && COMINGS.has(kind) && atEnd !== true) this.#line(text);
  }

  /** Prints a line above the bar. */
  note(text: string): void {
    this.#line(text);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  #line(text: string): void {
    this.stop();
    this.#lastLineMs = performance.now();
    try {
      this.#out.write(`${text}\n`);
    } catch {
      // A file on a full disk: training goes on unseen.
    }
  }
}
