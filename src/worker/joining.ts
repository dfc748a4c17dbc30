/**
 * How a worker becomes a member, for the first time or again: it says hello, is welcomed, gets the state, and
 * is ready.
 */
import type { RunConfig } from '../run/config/schema.js';
import { coded, revivedError, VitrailError } from '../errors/errors.js';
import type { ModelSpec } from '../run/model/model-spec.js';
import { PROTOCOL_VERSION, StateSource, type Body } from '../wire/codec.js';
import type { Link } from './link/link.js';
import type { StatusBoard } from './link/status-board.js';
import { initialWeights } from '../nn/vit/initialisation.js';
import { initialiseState } from './optimizer/optimizer.js';
import type { PendingStep } from './step-loop.js';
import type { StepWork } from './step-work.js';
import type { TrainingState } from './training/training-state.js';

export type Introduction = Pick<
  Body<'hello'>,
  'runToken' | 'step' | 'pendingGeneration' | 'pendingDigest' | 'microBatches'
>;

/** The identity of the worker's process. */
export type WorkerIdentity = Pick<Body<'hello'>, 'instance' | 'host' | 'pid'>;

/** The data by which others know this worker. */
export interface Identity {
  /** Address of its /metrics; empty if others cannot ask for them. */
  readonly metricsAddress: string;
  /** The place that it had, or that it was started for; null for any. */
  readonly place: number | null;
}

/** The introduction of a worker that holds no state. */
export const NEWCOMER: Introduction = {
  runToken: '',
  step: 0,
  pendingGeneration: 0,
  pendingDigest: new Uint8Array(0),
  microBatches: [],
};

/** What a worker holds that is no longer a member. */
export function introduction(
  runToken: string,
  state: number | null,
  pending: PendingStep | null,
  work: StepWork,
): Introduction {
  if (state === null) return NEWCOMER;
  const waiting = pending?.plan.step === state ? pending.done : null;
  const held = work.held?.step === state ? [...work.held.microBatches] : [];
  return {
    runToken,
    step: state,
    pendingGeneration: waiting?.generation ?? 0,
    pendingDigest: waiting?.digest ?? new Uint8Array(0),
    microBatches: held,
  };
}

/** Whether an error may come from a coordinator that has gone. Any other error is the worker's own. */
export function failsWithCoordinator(error: unknown): boolean {
  return error instanceof VitrailError && ['RING_ABORTED', 'STATE_TRANSFER_FAILED'].includes(error.code);
}

export type Answer =
  | { readonly kind: 'welcome'; readonly welcome: Body<'welcome'> }
  | { readonly kind: 'stop'; readonly stop: Body<'stop'> };

/**
 * Says hello until the coordinator answers, which may be started again meanwhile.
 * @throws the coordinator's refusal, COORDINATOR_UNREACHABLE
 */
export async function introduce(
  link: Link,
  { instance, host, pid }: WorkerIdentity,
  { metricsAddress, place }: Identity,
  introduced: Introduction,
): Promise<Answer> {
  const hello: Body<'hello'> = {
    protocolVersion: PROTOCOL_VERSION,
    instance,
    host,
    pid,
    metricsAddress,
    place: place === null ? 0 : place + 1,
    ...introduced,
  };
  link.send('hello', hello);
  for (;;) {
    const answer = await link.receive();
    switch (answer.name) {
      case 'welcome':
        return { kind: 'welcome', welcome: answer.body };
      case 'stop':
        return { kind: 'stop', stop: answer.body };
      case 'refusal':
        throw revivedError(answer.body);
      case 'whoAreYou':
        link.send('hello', hello);
        break;
      default:
      // The message is for this worker's earlier membership.
    }
  }
}

/**
 * Fills weights and moments as `welcome` says.
 * @returns whether the state is complete; if not, a plan will say which peers have it
 */
export async function fillState(
  { weights, moments, shared }: TrainingState,
  config: RunConfig,
  spec: ModelSpec,
  welcome: Body<'welcome'>,
  { link, status }: { readonly link: Link; readonly status: StatusBoard },
): Promise<boolean> {
  const { stateSource, pullParts, step } = welcome;
  if (stateSource === StateSource.STATE_SOURCE_KEPT) return true;
  status.setState(null);
  if (stateSource === StateSource.STATE_SOURCE_PEERS) return false;
  if (stateSource === StateSource.STATE_SOURCE_SEED)
    weights.set(initialWeights(spec, config.init, config.seed));
  for (const part of pullParts) {
    const target = shared.parts[part];
    if (target === undefined) throw coded('INTERNAL', { reason: `no state part called ${part}` });
    await link.call('pull', { part, target });
  }
  const momentsPulled = pullParts.length > 1;
  if (!momentsPulled) initialiseState(config, moments, weights, shared.mine.byteLength / 4);
  status.setState(step);
  return true;
}
