/** Turns a round of a step into the messages that tell its workers what to do. Pure. */
import type { Body } from '../../wire/codec.js';
import type { Member } from '../members/membership.js';
import type { MicroBatch } from './sampling.js';
import type { Assignment } from './step-planning.js';
import { statePeers, type StepRound } from './step-round.js';

export interface PlanInputs {
  readonly round: StepRound;
  readonly epoch: number;
  readonly learningRate: number;
  /** Of the whole step. */
  readonly samples: number;
  /** Who will probably compute what in the next step; null if that is not known. */
  readonly ahead: Assignment | null;
  /** The members of the round's ring; there may be others. */
  readonly members: readonly Member[];
}

/** One message for each worker, in ring order. */
export function planMessages({
  round,
  epoch,
  learningRate,
  samples,
  ahead,
  members,
}: PlanInputs): ReadonlyMap<number, Body<'stepPlan'>> {
  const byWorker = new Map(members.map((m) => [m.worker, m.ready]));
  const { step, generation, exponents, ring } = round;
  const common = {
    step,
    generation,
    epoch,
    learningRate,
    samples,
    exponents: [...exponents],
    ring: ring.map((worker) => ({ worker, endpoint: byWorker.get(worker)?.ringEndpoint ?? '' })),
    prefetchEpoch: epoch,
  };
  return new Map(
    ring.map((worker) => {
      const peers = statePeers(round, worker).map((peer) => ({
        worker: peer,
        endpoint: byWorker.get(peer)?.stateEndpoint ?? '',
      }));
      const microBatches = wire(round.assignment.get(worker));
      return [worker, { ...common, microBatches, prefetch: wire(ahead?.get(worker)), statePeers: peers }];
    }),
  );
}

function wire(microBatches: readonly MicroBatch[] = []): Body<'stepPlan'>['microBatches'] {
  return microBatches.map(({ index, samples }) => ({ index, samples: [...samples] }));
}
