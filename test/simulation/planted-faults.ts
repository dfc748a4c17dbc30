/** Faults that are planted into the compiled code, one at a time, to prove that the simulation sees each. */

export interface Change {
  /** Below src/. */
  readonly file: string;
  /** Stands once in the compiled file. */
  readonly code: string;
  readonly instead: string;
}

export interface PlantedFault {
  readonly name: string;
  /** More than one where two independent checks guard a promise: either of them alone is enough. */
  readonly changes: readonly Change[];
  /** A history that shows it. */
  readonly seed: number;
}

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  {
    name: 'a commit is told before it is forced to the disk',
    changes: [
      {
        file: 'run/journal/journal.js',
        code: 'await this.#file.datasync();',
        instead: ';',
      },
    ],
    seed: 1,
  },
  {
    name: 'a journal that is written anew has no durable name',
    changes: [
      {
        file: 'run/journal/journal.js',
        code: 'await disk.syncFolder(this.#runDir);',
        instead: ';',
      },
    ],
    seed: 1,
  },
  {
    name: 'a report of an older generation counts',
    changes: [
      {
        file: 'coordinator/step-runner.js',
        code: 'body.step === step && body.generation === generation',
        instead: 'body.step === step',
      },
    ],
    seed: 1,
  },
  {
    name: 'a peer gives the state of another step away',
    changes: [
      {
        file: 'worker/link/state-transfers.js',
        code: 'this.#status.state !== step',
        instead: 'false',
      },
    ],
    seed: 40,
  },
  {
    name: 'a wait has no timeout',
    changes: [
      {
        file: 'coordinator/waits/condition-wait.js',
        code: 'this.#clock.after(timeoutMs, ',
        instead: 'this.#clock.after(1e12, ',
      },
    ],
    seed: 34,
  },
  {
    name: 'what workers hold is not compared before a checkpoint',
    changes: [
      {
        file: 'coordinator/recovery/state-audit.js',
        code: 'if (verdict === null)',
        instead: 'if (true)',
      },
    ],
    seed: 12,
  },
  {
    name: 'a worker waits for its coordinator without end',
    changes: [
      {
        file: 'worker/link/heartbeat.js',
        code: 'silentMs > (this.#heardOnce ? coordinatorTimeoutMs : connectTimeoutMs)',
        instead: 'false',
      },
    ],
    seed: 46,
  },
  {
    name: 'a checkpoint is published before its files are on the disk',
    changes: [
      {
        file: 'host/atomic-file.js',
        code: 'await file.sync();',
        instead: ';',
      },
    ],
    seed: 44,
  },
  {
    name: 'a step is planned again although it is committed, after the coordinator has died',
    changes: [
      {
        file: 'run/journal/journal-format.js',
        code: 'return { ...content, state, generation, lastCommit: { generation, digest, ring } };',
        instead: 'return { ...content, generation, lastCommit: { generation, digest, ring } };',
      },
    ],
    seed: 1,
  },
  {
    name: 'what a worker keeps is planned for another as well',
    changes: [
      {
        file: 'coordinator/step/step-planning.js',
        code: 'const rest = microBatches.filter(({ index }) => !taken.has(index));',
        instead: 'const rest = microBatches;',
      },
    ],
    seed: 18,
  },
  {
    name: 'a resumed run takes its weights and not its moments',
    changes: [
      {
        file: 'worker/joining.js',
        code: 'for (const part of pullParts) {',
        instead: 'for (const part of pullParts.slice(0, 1)) {',
      },
    ],
    seed: 2,
  },
  {
    name: 'the conclusions of an epoch are drawn again after a restart',
    changes: [
      {
        file: 'coordinator/step/step-duties.js',
        code: 'const open = epochTotals.samples > 0;',
        instead: 'const open = true;',
      },
    ],
    seed: 67,
  },
  {
    name: 'a part of a line stays in the journal, and others are written behind it',
    changes: [
      { file: 'run/journal/journal.js', code: 'if (this.#torn)', instead: 'if (false)' },
      {
        file: 'run/journal/journal.js',
        code: 'await this.#takeBack().catch(() => undefined);',
        instead: ';',
      },
    ],
    seed: 60,
  },
  {
    name: 'a worker that hangs is waited for without end',
    changes: [
      { file: 'coordinator/waits/answer-wait.js', code: 'if (hung.length > 0) {', instead: 'if (false) {' },
    ],
    seed: 49,
  },
  {
    name: 'an all-reduce that stands still is not noticed',
    changes: [
      {
        file: 'coordinator/waits/answer-wait.js',
        code: 'cut = stallCheck?.found() === true;',
        instead: 'cut = false;',
      },
    ],
    seed: 14877,
  },
  {
    name: 'a worker is let in while a commit is being written',
    changes: [
      {
        file: 'coordinator/members/admission.js',
        code: 'return this.#deferred !== null;',
        instead: 'this.#deferred?.pop(); return false;',
      },
    ],
    seed: 85505,
  },
  {
    name: 'a coordinator that is started again goes on with generations that were given before',
    changes: [
      {
        file: 'coordinator/recovery/run-opening.js',
        code: 'journal.generation + GENERATIONS_OF_A_START',
        instead: 'journal.generation',
      },
    ],
    seed: 417,
  },
  {
    name: 'a segment that arrives with another byte in it is added',
    changes: [
      {
        file: 'collective/ring/ring-round.js',
        code: 'if (incoming !== header.checksum)',
        instead: 'if (false)',
      },
    ],
    seed: 196,
  },
  {
    name: 'a checkpoint keeps what arrives with another byte in it',
    changes: [
      {
        file: 'coordinator/checkpoint-keeper.js',
        code: "toString('hex') !== digest",
        instead: "toString('hex') === ''",
      },
    ],
    seed: 163,
  },
  {
    name: 'a worker computes again what is in its sum already',
    changes: [
      {
        file: 'worker/held-work.js',
        code: 'held?.step === plan.step &&',
        instead: 'held?.step === -1 &&',
      },
    ],
    seed: 5,
  },
];
