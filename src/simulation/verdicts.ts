/** The invariants of every history, checked at every event. */
import type { LeftWeights } from './left-weights.js';
import { PlanVerdicts } from './plan-verdicts.js';
import type { SimulatedDisk } from './simulated-disk.js';
import {
  parseJournal,
  parseLine,
  type JournalContent,
  type JournalRecord,
} from '../run/journal/journal-format.js';
import type { Body } from '../wire/codec.js';
import { RUN_FOLDER } from './subjects.js';

const JOURNAL = `${RUN_FOLDER}/journal`;

/** The results of a run without faults, which every other run with the same options must have. */
export interface CleanRun {
  /** Digest of the reduced gradient by step. */
  readonly commits: ReadonlyMap<number, string>;
  /** Digest of the weights by step. */
  readonly weights: ReadonlyMap<number, string>;
  /** Results of evaluations by step. */
  readonly evaluations: ReadonlyMap<number, string>;
  readonly steps: number;
}

export class Verdicts {
  readonly violations: string[] = [];
  readonly commits = new Map<number, string>();
  readonly weights = new Map<number, string>();
  readonly evaluations = new Map<number, string>();
  readonly plans = new PlanVerdicts((text) => this.violated(text));
  readonly #disk: SimulatedDisk;
  readonly #clean: CleanRun | null;
  /** Whether a weight was damaged, which perhaps nobody has noticed yet. */
  #damaged = false;
  /** The last step that was committed; null if the run may begin anywhere. */
  #last: { readonly step: number; readonly generation: number } | null = null;

  /** @param clean null if this is the clean run */
  constructor(disk: SimulatedDisk, clean: CleanRun | null) {
    this.#disk = disk;
    this.#clean = clean;
  }

  violated(text: string): void {
    this.violations.push(text);
  }

  damaged(): void {
    this.#damaged = true;
  }

  /** A coordinator starts. If its journal has no end, it must go on from the last commit of that journal. */
  started(): void {
    this.plans.started();
    const before = this.#last;
    this.#last = null;
    const text = this.#disk.text(JOURNAL);
    if (text === null) {
      if (before !== null) this.violated('the journal is gone');
      return;
    }
    const parsed = parseJournal(text);
    if (!parsed.ok) {
      this.violated(`the journal does not open: ${parsed.problem}`);
      return;
    }
    const { end, state, lastCommit } = parsed.content;
    if (end !== null || lastCommit === null) return;
    if (before !== null && state.step <= before.step) {
      this.violated(`the commit of step ${before.step} was told and is lost`);
    }
    this.#last = { step: state.step - 1, generation: lastCommit.generation };
  }

  /**
   * The run rolls back to a checkpoint. @param why the fault that allows this; null if workers with its state
   * must be there
   */
  wentBack(why: string | null): void {
    this.#last = null;
    if (why === null) this.violated('the run rolls back, and nobody that held its state was gone for long');
  }

  /** A worker becomes a member, and is told how far the run is. */
  welcomed(peer: string, welcome: Body<'welcome'>): void {
    this.plans.welcomed(peer, welcome);
    const { step } = welcome;
    if (step > (this.#journal()?.state.step ?? 0)) {
      this.violated(`a worker is told that ${step} steps are committed, and the disk does not say so`);
    }
  }

  /** A worker is told to compute a step, which also tells it that the step before is committed. */
  planned(peer: string, plan: Body<'stepPlan'>): void {
    const { step } = plan;
    if (this.#last !== null && step > this.#last.step + 1) {
      // All connections were gone, so no worker could be told of the commit.
      const journal = this.#journal();
      const generation = journal?.state.step === step ? journal.lastCommit?.generation : undefined;
      if (generation !== undefined) this.#last = { step: step - 1, generation };
    }
    this.plans.planned(peer, plan, this.#last === null ? null : this.#last.step + 1);
  }

  /** A worker is told that a step is committed. */
  commit({ step, generation, digest }: Body<'commit'>): void {
    const hex = Buffer.from(digest).toString('hex');
    const last = this.#last;
    const again = last?.step === step && last.generation === generation;
    if (last !== null && !again && step !== last.step + 1) {
      this.violated(`step ${step} is committed after step ${last.step}`);
    }
    if (again && this.commits.get(step) !== hex) this.violated(`step ${step} is committed with two sums`);
    if (!again) this.plans.committed(step, generation);
    this.#last = { step, generation };
    this.commits.set(step, hex);
    const clean = this.#clean?.commits.get(step);
    if (clean !== undefined && clean !== hex && !this.#damaged) {
      this.violated(`the sum of step ${step} is not that of the clean run`);
    }
    if (again) return;
    const noted = lastCommitOf(this.#disk.durableText(JOURNAL) ?? '');
    if (noted?.generation !== generation || noted.digest !== hex) {
      this.violated(`the commit of step ${step} is told before it is on the disk`);
    }
  }

  /** A checkpoint was written. */
  checkpoint(step: number, weightDigest: string): void {
    this.weights.set(step, weightDigest);
    const clean = this.#clean?.weights.get(step);
    if (clean !== undefined && clean !== weightDigest) {
      this.violated(`the checkpoint of step ${step} has other weights than the clean run`);
    }
  }

  /** An evaluation has ended. */
  evaluated(step: number, figures: string): void {
    this.evaluations.set(step, figures);
    const clean = this.#clean?.evaluations.get(step);
    if (clean !== undefined && clean !== figures && !this.#damaged) {
      this.violated(`the evaluation after step ${step} differs from the clean run's: ${figures}, ${clean}`);
    }
  }

  /** The run has ended after so many steps. @param left the content of its folder then */
  ended(steps: number, left: LeftWeights | null): void {
    if (this.#clean === null) return;
    if (steps !== this.#clean.steps) this.violated(`the run ended after ${steps} steps`);
    if (left?.step !== steps || left.digest !== this.#clean.weights.get(steps)) {
      this.violated('the run ended with other weights than the clean run');
    }
  }

  /**
   * The least of the journal that survives a power loss; null if there may be none, or none that can be
   * opened.
   */
  #journal(): JournalContent | null {
    const text = this.#disk.durableText(JOURNAL);
    const parsed = text === null ? null : parseJournal(text);
    return parsed?.ok === true ? parsed.content : null;
  }
}

/** The last commit that a journal holds. It alone is parsed: this is asked at every commit that is told. */
function lastCommitOf(journal: string): Extract<JournalRecord, { type: 'commit' }> | null {
  const lines = journal.split('\n').slice(0, -1);
  const record = parseLine(lines.findLast((line) => line.includes('"type":"commit"')) ?? '');
  return record?.type === 'commit' ? record : null;
}
