/** Shows a run on a terminal: a bar for the current epoch, and a line for every finished one. */
import { SingleBar } from 'cli-progress';
import pc from 'picocolors';
import type {
  ClusterChangeEvent,
  EndEvent,
  EpochEvent,
  FinalTestEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
} from '../../api/training-event.js';
import { placementText } from '../../api/local/placement.js';
import type { SplitFigures } from '../../run/folder/run-summary.js';
import { counted, imagesPerSecond } from '../../errors/wording.js';
import { sourceText } from './source-text.js';

const FORMAT = 'epoch {epoch} [{bar}] {value}/{total} steps  {rate}  loss {loss}  {left} left';

/** Without a terminal for a bar, a line is printed this often. */
const LINE_EVERY_MS = 20_000;

/** Events of workers that are worth a line. */
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

/** Events that are also shown if workers are started by hand. */
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

function figures(name: string, { loss, accuracy }: SplitFigures): string {
  return `${name} loss ${loss.toFixed(4)} top-1 ${percent(accuracy)}`;
}

/** Sums of the current epoch, whose loss is shown as the mean over its images. */
interface EpochSoFar {
  readonly samples: number;
  readonly lossSum: number;
}

const NOTHING_YET: EpochSoFar = { samples: 0, lossSum: 0 };

export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #comings: boolean;
  #bar: SingleBar | null = null;
  #run: StartEvent | null = null;
  #epoch = NOTHING_YET;
  #epochStartMs = performance.now();
  #runStartMs = performance.now();
  #lastLineMs = performance.now();

  /** @param options.comings also show which workers join and leave, because this command did not start them */
  constructor(out: NodeJS.WriteStream, options: { readonly comings: boolean }) {
    this.#out = out;
    this.#comings = options.comings;
  }

  show(event: Exclude<TrainingEvent, EndEvent>): void {
    switch (event.kind) {
      case 'note':
        this.#line(event.level === 'warning' ? pc.yellow(event.text) : event.text);
        return;
      case 'placement':
        this.#line(pc.dim(placementText(event)));
        return;
      case 'listening': {
        this.#line(pc.dim(`metrics: ${event.metrics}`));
        const wanted = counted(event.workers, 'worker');
        if (this.#comings)
          this.#line(`waiting for ${wanted}: vitrail worker --coordinator ${event.coordinator}`);
        return;
      }
      case 'start':
        this.#start(event);
        return;
      case 'step':
        this.#step(event);
        return;
      case 'epoch':
        this.#epochEnd(event);
        return;
      case 'final-test':
        this.#finalTest(event);
        return;
      case 'cluster':
        this.#clusterChange(event);
        return;
      case 'checkpoint':
        return;
    }
  }

  #start(event: StartEvent): void {
    this.#run = event;
    this.#epochStartMs = performance.now();
    this.#runStartMs = this.#epochStartMs;
    const { model, parameters, workers, backend, steps, fromStep } = event;
    const resumed = fromStep > 0 ? `, going on from step ${fromStep}` : '';
    const millions = (parameters / 1e6).toFixed(2);
    this.#line(
      `${pc.bold(model)} ${millions} M parameters, ${counted(workers, 'worker')} (${backend}), ${counted(steps, 'step')}${resumed}`,
    );
    const source = sourceText(event);
    if (source !== null) this.#line(pc.dim(`started from ${source}`));
  }

  #step({ epoch, step, loss: ofStep, samples }: StepEvent): void {
    const before = this.#epoch;
    this.#epoch = { samples: before.samples + samples, lossSum: before.lossSum + ofStep * samples };
    if (this.#run === null) return;
    const nowMs = performance.now();
    const { stepsPerEpoch, steps, fromStep } = this.#run;
    const total = Math.min(stepsPerEpoch, steps - epoch * stepsPerEpoch);
    const done = step + 1 - epoch * stepsPerEpoch;
    const left = ((nowMs - this.#runStartMs) / (step + 1 - fromStep)) * (steps - step - 1);
    const payload = {
      epoch: epoch + 1,
      rate: imagesPerSecond((this.#epoch.samples * 1000) / (nowMs - this.#epochStartMs)),
      loss: (this.#epoch.lossSum / this.#epoch.samples).toFixed(4),
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

  #epochEnd({ epoch, train, split, evaluated, improved }: EpochEvent): void {
    const seconds = (performance.now() - this.#epochStartMs) / 1000;
    const rate = imagesPerSecond(train.samples / seconds);
    const parts = [
      `epoch ${epoch + 1}`,
      figures('train', train),
      ...(evaluated === null ? [] : [figures(split, evaluated)]),
    ];
    const line = `${parts.join('  ')}  ${pc.dim(`${seconds.toFixed(1)} s, ${rate}`)}`;
    this.#line(improved ? `${line} ${pc.green('best')}` : line);
    this.#epoch = NOTHING_YET;
    this.#epochStartMs = performance.now();
  }

  #finalTest(event: FinalTestEvent): void {
    this.#line(figures(`${event.weights} weights: test`, event));
  }

  #clusterChange({ what, text, atEnd }: ClusterChangeEvent): void {
    if (SHOWN.has(what)) this.#line(pc.yellow(text));
    else if (this.#comings && COMINGS.has(what) && !atEnd) this.#line(text);
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
      // If stderr is a file on a full disk, training goes on without a display.
    }
  }
}
