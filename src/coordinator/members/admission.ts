/**
 * Decides whether a worker that says hello becomes a member, with which number and state. Remembers earlier
 * decisions about its process.
 */
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
  /** The most workers that the run takes, and the fewest that it needs. */
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
  /** Not now; the worker will ask again. */
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
  /** Those that said hello during a commit; null while no commit is under way. */
  #deferred: Applicant[] | null = null;
  readonly #quarantine = new Quarantine();
  /** Processes whose state is wrong, until they hold another one. */
  readonly #distrusted = new Set<string>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#nextWorker = options.firstWorker;
  }

  /** A commit is being written. Until `resume`, no worker can be told how far the run is. */
  pause(): void {
    this.#deferred = [];
  }

  /** @returns those whose hello came during the commit */
  resume(): readonly Applicant[] {
    const deferred = this.#deferred ?? [];
    this.#deferred = null;
    return deferred;
  }

  /** Whether the decision about `applicant` waits until the commit is over. */
  defers(applicant: Applicant): boolean {
    this.#deferred?.push(applicant);
    return this.#deferred !== null;
  }

  /** @param members without the applicant */
  decide(members: readonly Member[], { peer, hello }: Applicant, nowMs: number): Decision {
    const { maxWorkers, minWorkers, welcome, position } = this.#options;
    // If there are too few others, a worker behind a bad link is better than none.
    if (members.length >= minWorkers && this.#quarantine.holds(hello.instance, nowMs)) {
      return { kind: 'later' };
    }
    const error = membership.admissionError(hello, maxWorkers - members.length);
    if (error !== null) return { kind: 'refused', error };
    const { members: grown, member } = membership.admit(members, this.#nextWorker++, peer, hello, nowMs);
    const { runToken, step, ...rest } = position();
    // The worker may not have read yet that it should drop its state, so what it says about its state is
    // ignored.
    const held = this.#distrusted.has(hello.instance) ? { ...hello, runToken: '' } : hello;
    const { holds, ...choice } = chooseStateSource(held, { runToken, step, ...rest });
    return {
      kind: 'admitted',
      members: membership.heard(grown, peer, nowMs, { holds }),
      member,
      welcome: { ...welcome, runToken, step, worker: member.worker, place: member.place, ...choice },
    };
  }

  /** The state of `member` is wrong: when it joins again it is given a state, whatever it says it has. */
  distrust({ instance }: Member): void {
    this.#distrusted.add(instance);
  }

  /** `member` is ready: it now holds the state that it was given. */
  trust({ instance }: Member): void {
    this.#distrusted.delete(instance);
  }

  /** Keeps `member` out for a while, as long as there are enough others. @returns for how long, ms */
  quarantine({ instance }: Member, nowMs: number): number {
    return this.#quarantine.begin(instance, nowMs);
  }
}
