/** Who gets in, as whom, with what: decides over a hello, and remembers what was decided about a process before. */
import type { VitrailError } from '../../errors/errors.js';
import type { Body } from '../../wire/codec.js';
import * as membership from './membership.js';
import type { Member } from './membership.js';
import { Quarantine } from './quarantine.js';
import { chooseStateSource, type RunPosition } from '../recovery/state-source.js';

/** What a run tells every worker that it admits. */
export type CommonWelcome = Pick<
  Body<'welcome'>,
  'configJson' | 'manifestDigest' | 'classes' | 'heartbeatMs'
>;

export interface AdmissionOptions {
  /** Workers the run takes at most, and needs at least. */
  readonly maxWorkers: number;
  readonly minWorkers: number;
  /** The number that the next worker gets. */
  readonly firstWorker: number;
  readonly welcome: CommonWelcome;
  readonly position: () => RunPosition;
}

/** A worker that would like to be in the run. */
export interface Applicant {
  readonly peer: string;
  readonly hello: Body<'hello'>;
}

export type Decision =
  | { readonly kind: 'refused'; readonly error: VitrailError }
  /** It asks again and again. */
  | { readonly kind: 'later' }
  | {
      readonly kind: 'admitted';
      readonly members: readonly Member[];
      readonly member: Member;
      readonly welcome: Body<'welcome'>;
    };

export class Admission {
  readonly #options: AdmissionOptions;
  #nextWorker: number;
  /** Those that said hello during a commit; null: none is under way. */
  #deferred: Applicant[] | null = null;
  readonly #quarantine = new Quarantine();
  /** Processes that hold a state which is wrong, until they hold another. */
  readonly #distrusted = new Set<string>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#nextWorker = options.firstWorker;
  }

  /** A commit is being written down: where the run is does not hold until `resume`. */
  pause(): void {
    this.#deferred = [];
  }

  /** @returns those whose hello came during the commit */
  resume(): readonly Applicant[] {
    const deferred = this.#deferred ?? [];
    this.#deferred = null;
    return deferred;
  }

  /** Whether `applicant` is to be decided about when the commit is over. */
  defers(applicant: Applicant): boolean {
    this.#deferred?.push(applicant);
    return this.#deferred !== null;
  }

  /** @param members without the applicant */
  decide(members: readonly Member[], { peer, hello }: Applicant, nowMs: number): Decision {
    const { maxWorkers, minWorkers, welcome, position } = this.#options;
    // Without enough others a bad link is better than none.
    if (members.length >= minWorkers && this.#quarantine.holds(hello.instance, nowMs)) {
      return { kind: 'later' };
    }
    const error = membership.admissionError(hello, maxWorkers - members.length);
    if (error !== null) return { kind: 'refused', error };
    const { members: grown, member } = membership.admit(members, this.#nextWorker++, peer, hello, nowMs);
    const { runToken, step, ...rest } = position();
    // Whether it has been told to drop its state, and has read that, does not matter here.
    const held = this.#distrusted.has(hello.instance) ? { ...hello, runToken: '' } : hello;
    const { holds, ...choice } = chooseStateSource(held, { runToken, step, ...rest });
    return {
      kind: 'admitted',
      members: membership.heard(grown, peer, nowMs, { holds }),
      member,
      welcome: { ...welcome, runToken, step, worker: member.worker, place: member.place, ...choice },
    };
  }

  /** What `member` holds is wrong: in its next place it gets a state, whatever it says it has. */
  distrust({ instance }: Member): void {
    this.#distrusted.add(instance);
  }

  /** `member` is ready: it holds what it was given with its place. */
  trust({ instance }: Member): void {
    this.#distrusted.delete(instance);
  }

  /** `member` stays out for a while, where others are enough. @returns for how long, ms */
  quarantine({ instance }: Member, nowMs: number): number {
    return this.#quarantine.begin(instance, nowMs);
  }
}
