/** Faults that are planted into the compiled code, one at a time, to prove that the simulation sees each. */
import type { Fault } from '../../src/simulation/history.js';

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
  /** Kinds of faults whose histories show it; empty for all. */
  readonly only: readonly Fault['kind'][];
  /** A history of them that shows it, or one of those behind it. */
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
    only: [],
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
    only: [],
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
    only: [],
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
    only: ['leave', 'join'],
    seed: 45,
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
    only: ['hang'],
    seed: 2,
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
    only: ['damage'],
    seed: 1,
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
    only: ['kill', 'stop'],
    seed: 15,
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
    only: ['kill'],
    seed: 21,
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
    only: ['kill-at', 'kill-in'],
    seed: 2,
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
    only: ['kill', 'kill-in', 'leave'],
    seed: 10,
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
    only: [],
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
    only: ['kill', 'kill-at'],
    seed: 4,
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
    only: ['disk-full'],
    seed: 2,
  },
  {
    name: 'a worker that hangs is waited for without end',
    changes: [
      { file: 'coordinator/waits/answer-wait.js', code: 'if (hung.length > 0) {', instead: 'if (false) {' },
    ],
    only: ['hang'],
    seed: 2,
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
    only: ['part', 'hang'],
    seed: 31,
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
    only: ['disk-slow', 'cut'],
    seed: 121,
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
    only: ['kill', 'kill-in', 'part'],
    seed: 9,
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
    only: ['spoil'],
    seed: 2,
  },
  {
    name: 'a checkpoint keeps what arrives with another byte in it',
    changes: [
      {
        file: 'coordinator/checkpoint-keeper.js',
        code: "toString('hex') !== digest",
        instead: "toString('hex') === ''",
      },
      {
        file: 'wire/state-pull.js',
        code: 'if (Buffer.compare(digestOf(data), sha256) !== 0)',
        instead: 'if (false)',
      },
    ],
    only: ['spoil'],
    seed: 1,
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
    only: ['kill', 'cut'],
    seed: 2,
  },
];
