/** Faults that are planted into the compiled code, one at a time, to prove that the simulation sees each. */

export interface PlantedFault {
  readonly name: string;
  /** Below src/. */
  readonly file: string;
  /** Stands once in the compiled file. */
  readonly code: string;
  readonly instead: string;
  /** A history that shows it, or one of the four after it. */
  readonly seed: number;
}

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'a commit is told before it is forced to the disk',
    file: 'run/journal/journal.js',
    code: 'await this.#file.datasync();',
    instead: ';',
    seed: 1,
  },
  {
    name: 'a journal that is written anew has no durable name',
    file: 'run/journal/journal.js',
    code: 'await disk.syncFolder(this.#runDir);',
    instead: ';',
    seed: 1,
  },
  {
    name: 'a report of an older generation counts',
    file: 'coordinator/step-runner.js',
    code: 'body.step === step && body.generation === generation',
    instead: 'body.step === step',
    seed: 1,
  },
  {
    name: 'a peer gives the state of another step away',
    file: 'worker/link/state-transfers.js',
    code: 'this.#status.state !== step',
    instead: 'false',
    seed: 74,
  },
  {
    name: 'a wait has no timeout',
    file: 'coordinator/waits/condition-wait.js',
    code: 'this.#clock.after(timeoutMs, ',
    instead: 'this.#clock.after(1e12, ',
    seed: 41,
  },
  {
    name: 'what workers hold is not compared before a checkpoint',
    file: 'coordinator/recovery/state-audit.js',
    code: 'if (verdict === null)',
    instead: 'if (true)',
    seed: 10,
  },
  {
    name: 'a worker waits for its coordinator without end',
    file: 'worker/link/heartbeat.js',
    code: 'silentMs > (this.#heardOnce ? coordinatorTimeoutMs : connectTimeoutMs)',
    instead: 'false',
    seed: 34,
  },
  {
    name: 'a checkpoint is published before its files are on the disk',
    file: 'host/atomic-file.js',
    code: 'await file.sync();',
    instead: ';',
    seed: 24,
  },
  {
    name: 'a step is planned again although it is committed, after the coordinator has died',
    file: 'run/journal/journal-format.js',
    code: 'return { ...content, state, generation, lastCommit: { generation, digest, ring } };',
    instead: 'return { ...content, generation, lastCommit: { generation, digest, ring } };',
    seed: 24,
  },
  {
    name: 'what a worker keeps is planned for another as well',
    file: 'coordinator/step/step-planning.js',
    code: 'const rest = microBatches.filter(({ index }) => !taken.has(index));',
    instead: 'const rest = microBatches;',
    seed: 7,
  },
  {
    name: 'a resumed run takes its weights and not its moments',
    file: 'worker/joining.js',
    code: 'for (const part of pullParts) {',
    instead: 'for (const part of pullParts.slice(0, 1)) {',
    seed: 7,
  },
  {
    name: 'the conclusions of an epoch are drawn again after a restart',
    file: 'coordinator/step/step-duties.js',
    code: 'const open = epochTotals.samples > 0;',
    instead: 'const open = true;',
    seed: 24,
  },
];
