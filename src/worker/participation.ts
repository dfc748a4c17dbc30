/** A worker's life: it joins the run, works until it is told to stop, and joins again if it was lost. */
import type { RunConfig } from '../run/config/schema.js';
import { coded, plainError, reasonOf } from '../errors/errors.js';
import type { Logger } from '../host/logger.js';
import type { PortRange } from '../host/network.js';
import type { ModelSpec } from '../run/model/model-spec.js';
import { Phase, StateSource, type Body } from '../wire/codec.js';
import type { ComputeEngine } from '../nn/engine/engine.js';
import {
  failsWithCoordinator,
  fillState,
  introduce,
  introduction,
  NEWCOMER,
  type WorkerIdentity,
} from './joining.js';
import type { Link } from './link/link.js';
import type { StatusBoard } from './link/status-board.js';
import type { OwnAddress } from './own-address.js';
import type { StepLoop } from './step-loop.js';
import type { StepWork } from './step-work.js';
import type { TrainingState } from './training/training-state.js';

export interface ParticipationOptions {
  /** tcp://HOST:PORT */
  readonly coordinator: string;
  /** The place in metrics that the worker asks for; null for the lowest free one. */
  readonly place: number | null;
  /** Ports for the sockets of other workers; null for any. */
  readonly ringPorts: PortRange | null;
  /** When it is aborted, the worker finishes its part, hands over and leaves. */
  readonly leave: AbortSignal;
  /** Called with a function that sends log lines to the coordinator. */
  readonly onConnected: (log: (line: string) => void) => void;
  readonly log: Logger;
}

/** Everything that a worker needs to compute, and keeps when it joins again. */
export interface WorkerServices {
  readonly config: RunConfig;
  readonly spec: ModelSpec;
  readonly state: TrainingState;
  readonly work: StepWork;
  readonly loop: StepLoop;
  readonly engine: Pick<ComputeEngine, 'backend'>;
  /** For people. */
  readonly device: string;
}

export interface WorkerConnection {
  readonly identity: WorkerIdentity;
  readonly link: Link;
  readonly status: StatusBoard;
  /** The address of its metrics that others are given; empty if they cannot reach any. */
  readonly metricsAddress: string;
  readonly own: OwnAddress;
}

type Prepare = (welcome: Body<'welcome'>) => Promise<WorkerServices>;

/**
 * Joins the run and works in it to its end.
 * @param prepare makes everything that is needed before the first step, except the state
 * @throws a coded error when it cannot go on
 */
export async function joinAndWork(
  options: ParticipationOptions,
  connection: WorkerConnection,
  prepare: Prepare,
): Promise<Body<'stop'>> {
  const { link, metricsAddress, identity } = connection;
  let admitted = false;
  try {
    const askToLeave = (): void => link.send('leave', { reason: String(options.leave.reason) });
    options.leave.addEventListener('abort', askToLeave);
    // The stop was asked for while the link was being opened.
    if (options.leave.aborted) askToLeave();
    options.log.info({ coordinator: options.coordinator }, 'looking for the coordinator');
    const first = await introduce(link, identity, { metricsAddress, place: options.place }, NEWCOMER);
    if (first.kind === 'stop') {
      if (options.leave.aborted) return first.stop;
      throw coded('WORKER_REFUSED', { reason: first.stop.reason });
    }
    admitted = true;
    options.onConnected((line) => link.log(line));
    const stop = await workInPlaces(options, connection, first.welcome, prepare);
    link.send('goodbye', {});
    return stop;
  } catch (error) {
    if (admitted) link.send('failure', plainError(error));
    throw error;
  }
}

/** Joins and works, again and again, because a worker that was thought dead has to join anew. */
async function workInPlaces(
  options: ParticipationOptions,
  connection: WorkerConnection,
  first: Body<'welcome'>,
  prepare: Prepare,
): Promise<Body<'stop'>> {
  const { link, status, metricsAddress, identity } = connection;
  const { log, coordinator } = options;
  let welcome = first;
  let services: WorkerServices | null = null;
  for (;;) {
    log.info({ worker: welcome.worker, step: welcome.step, coordinator }, 'joined');
    let reason = 'the coordinator was started again';
    try {
      services ??= await prepare(welcome);
      await takePlace(options, connection, services, welcome);
      if (options.leave.aborted) link.send('leave', { reason: String(options.leave.reason) });
      const end = await services.loop.run();
      if (end.kind === 'stop') return end.stop;
      reason = end.reason;
      if (end.discard) status.setState(null);
    } catch (error) {
      // A request to a coordinator that is gone fails or gets no answer. Then the next coordinator asks for a
      // hello.
      if (!link.disowned || !failsWithCoordinator(error)) throw error;
      log.warn({ error: reasonOf(error) }, 'a request to the earlier coordinator got no answer');
    }
    log.warn({ reason }, 'no longer a member of the run: joining again');
    const held =
      services === null
        ? NEWCOMER
        : introduction(first.runToken, status.state, services.loop.pending, services.work);
    status.enter(Phase.PHASE_PREPARING, status.state ?? 0);
    const answer = await introduce(link, identity, { metricsAddress, place: welcome.place }, held);
    if (answer.kind === 'stop') return answer.stop;
    welcome = answer.welcome;
    if (welcome.runToken !== first.runToken) {
      throw coded('COORDINATOR_REPLACED', { address: coordinator });
    }
  }
}

/** Gets the state that `welcome` names, opens the ring and reports ready. */
async function takePlace(
  options: ParticipationOptions,
  { link, status, own }: WorkerConnection,
  { config, spec, state, loop, engine, device }: WorkerServices,
  welcome: Body<'welcome'>,
): Promise<void> {
  status.clearNews();
  await loop.takePlace(welcome);
  const hasState = await fillState(state, config, spec, welcome, { link, status });
  if (hasState && welcome.stateSource !== StateSource.STATE_SOURCE_KEPT) await loop.reload();
  const { runToken } = welcome;
  const where = { host: own.bind, advertise: own.advertise, ports: options.ringPorts };
  const opened = await link.call('openRing', { transport: config.ringTransport, where, runToken });
  const step = status.state ?? 0;
  status.enter(Phase.PHASE_IDLE, step);
  link.send('ready', { backend: engine.backend, device, ...opened, step, hasState });
  options.log.info({ worker: welcome.worker, step, hasState }, 'ready');
}
