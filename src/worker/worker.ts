/** A worker process: join, prepare, train until told to stop, and join again where its place was lost. */
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolveConfig, type OptionValues } from '../run/config/config.js';
import type { RunConfig } from '../run/config/schema.js';
import type { Manifest } from '../run/dataset/manifest.js';
import { coded, plainError, reasonOf, type VitrailError } from '../errors/errors.js';
import type { Logger } from '../host/logger.js';
import { modelSpec, type ModelSpec } from '../run/model/model-spec.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import { Phase, StateSource, type Body } from '../wire/codec.js';
import { Resources } from '../host/resources.js';
import type { PortRange } from '../host/network.js';
import { Loader } from './data/loader.js';
import { firstFileDifference } from './data/manifest-check.js';
import { checkDevice, deviceName, planDevice, unusedGpus } from '../nn/engine/device.js';
import { ComputeEngine } from '../nn/engine/engine.js';
import { nvidiaGpusPresent } from '../kernels/gpu-presence.js';
import { THIS_MACHINE } from '../nn/engine/gpus.js';
import { trainingOn } from './training/training-place.js';
import { failsWithCoordinator, fillState, introduce, introduction, NEWCOMER } from './joining.js';
import { Link } from './link/link.js';
import { StatusBoard } from './link/status-board.js';
import { metricsAddress, metricsListen } from './metrics-address.js';
import { ownAddress, tcpHostAndPort, type OwnAddress } from './own-address.js';
import { StepLoop } from './step-loop.js';
import { StepWork } from './step-work.js';
import type { Training } from './training/training.js';
import { allocateTrainingState, type TrainingState } from './training/training-state.js';

export interface WorkerOptions {
  /** tcp://HOST:PORT */
  readonly coordinator: string;
  /** Where the images lie on this machine; null: where the coordinator says. */
  readonly data: string | null;
  /** auto, cpu, cuda:N */
  readonly device: string;
  /** What its figures are to be known by, where that is free; null: the lowest that is. */
  readonly place: number | null;
  /** Of the native kernels; 0: one for each processor. */
  readonly threads: number;
  /** HOST:PORT for /metrics, auto or none. */
  readonly metricsListen: string;
  /** The host that others are told; null: the address that faces the coordinator. */
  readonly advertise: string | null;
  /** Of the sockets for other workers; null: any. */
  readonly ringPorts: PortRange | null;
  /** End when the parent process ends. */
  readonly supervised: boolean;
  /** Longest wait for a coordinator that has gone silent, for one that is started again. */
  readonly coordinatorTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Aborted: finish the part, hand over, leave. */
  readonly leave: AbortSignal;
  /** Given the way to leave log lines with the coordinator. */
  readonly onConnected: (log: (line: string) => void) => void;
  readonly log: Logger;
}

/** All that a worker needs to compute, whatever place in the run it has. */
interface WorkerServices {
  readonly config: RunConfig;
  readonly spec: ModelSpec;
  readonly state: TrainingState;
  readonly training: Training;
  readonly work: StepWork;
  readonly loop: StepLoop;
  readonly engine: ComputeEngine;
  /** For people. */
  readonly device: string;
}

interface Connection {
  readonly link: Link;
  readonly status: StatusBoard;
  /** What others are told of its page; empty: there is none for them. */
  readonly metricsAddress: string;
  readonly own: OwnAddress;
}

/** Joins the run and works in it to its end. @throws a coded error when it cannot go on */
export async function runWorker(options: WorkerOptions): Promise<Body<'stop'>> {
  tcpHostAndPort(options.coordinator);
  checkDevice(options.device, THIS_MACHINE);
  const status = new StatusBoard();
  const { coordinator, coordinatorTimeoutMs, connectTimeoutMs, advertise, leave, log } = options;
  const onWait = (error: VitrailError): void => log.warn(`${error.problem}: it is asked again`);
  const own = await ownAddress({ coordinator, advertise, timeoutMs: connectTimeoutMs, leave, onWait });
  const listening = metricsListen(options.metricsListen, own.bind);
  const parentPid = options.supervised ? process.ppid : null;
  const times = { coordinatorTimeoutMs, connectTimeoutMs };
  const settings = { coordinator, ...times, metricsListen: listening, parentPid, status: status.memory };
  const { link, metricsAddress: served } = await Link.open(settings);
  const told = served === '' ? '' : metricsAddress(served, own.advertise);
  if (served !== '' && told === '') log.warn(`only this machine can read the metrics at ${served}`);
  const resources = new Resources();
  resources.add(async () => link.close());
  const alsoFailed = (error: unknown): void =>
    options.log.warn({ error: reasonOf(error) }, 'could not tidy up after a failure');
  return resources.during(
    async () => joinAndWork(options, { link, status, metricsAddress: told, own }, resources),
    alsoFailed,
  );
}

async function joinAndWork(
  options: WorkerOptions,
  connection: Connection,
  resources: Resources,
): Promise<Body<'stop'>> {
  const { link, metricsAddress } = connection;
  let admitted = false;
  try {
    const askToLeave = (): void => link.send('leave', { reason: String(options.leave.reason) });
    options.leave.addEventListener('abort', askToLeave);
    // Asked while the link was being opened.
    if (options.leave.aborted) askToLeave();
    options.log.info({ coordinator: options.coordinator }, 'looking for the coordinator');
    const first = await introduce(link, { metricsAddress, place: options.place }, NEWCOMER);
    if (first.kind === 'stop') {
      if (options.leave.aborted) return first.stop;
      throw coded('WORKER_REFUSED', { reason: first.stop.reason });
    }
    admitted = true;
    options.onConnected((line) => link.log(line));
    const stop = await workInPlaces(options, connection, first.welcome, resources);
    link.send('goodbye', {});
    return stop;
  } catch (error) {
    if (admitted) link.send('failure', plainError(error));
    throw error;
  }
}

/** Works in one place of the run after the other: a worker that was thought dead gets a new one. */
async function workInPlaces(
  options: WorkerOptions,
  connection: Connection,
  first: Body<'welcome'>,
  resources: Resources,
): Promise<Body<'stop'>> {
  const { link, status, metricsAddress } = connection;
  const { log, coordinator } = options;
  let welcome = first;
  let services: WorkerServices | null = null;
  for (;;) {
    log.info({ worker: welcome.worker, step: welcome.step, coordinator }, 'joined');
    let reason = 'the coordinator was started again';
    try {
      services ??= await prepare(options, welcome, connection, resources);
      await takePlace(options, connection, services, welcome);
      if (options.leave.aborted) link.send('leave', { reason: String(options.leave.reason) });
      const end = await services.loop.run();
      if (end.kind === 'stop') return end.stop;
      reason = end.reason;
      if (end.discard) status.setState(null);
    } catch (error) {
      // What was asked of a coordinator that is gone is called off or gets no answer; its successor wants a hello.
      if (!link.disowned || !failsWithCoordinator(error)) throw error;
      log.warn({ error: reasonOf(error) }, 'what was asked of the coordinator before came to nothing');
    }
    log.warn({ reason }, 'lost its place in the run: joining again');
    const held =
      services === null
        ? NEWCOMER
        : introduction(first.runToken, status.state, services.loop.pending, services.work);
    status.enter(Phase.PHASE_PREPARING, status.state ?? 0);
    const answer = await introduce(link, { metricsAddress, place: welcome.place }, held);
    if (answer.kind === 'stop') return answer.stop;
    welcome = answer.welcome;
    if (welcome.runToken !== first.runToken) {
      throw coded('COORDINATOR_REPLACED', { address: coordinator });
    }
  }
}

/** Holds the state that the place asks for, opens the ring anew and reports ready. */
async function takePlace(
  options: WorkerOptions,
  { link, status, own }: Connection,
  { config, spec, state, training, loop, engine, device }: WorkerServices,
  welcome: Body<'welcome'>,
): Promise<void> {
  status.clearNews();
  await loop.takePlace(welcome);
  const hasState = await fillState(state, config, spec, welcome, { link, status });
  if (hasState && welcome.stateSource !== StateSource.STATE_SOURCE_KEPT) await training.reload();
  const { runToken } = welcome;
  const where = { host: own.bind, advertise: own.advertise, ports: options.ringPorts };
  const opened = await link.call('openRing', { transport: config.ringTransport, where, runToken });
  const step = status.state ?? 0;
  status.enter(Phase.PHASE_IDLE, step);
  link.send('ready', { backend: engine.backend, device, ...opened, step, hasState });
  options.log.info({ worker: welcome.worker, step, hasState }, 'ready');
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Data, engine and memory: all that is needed before the first step, except the state. */
async function prepare(
  options: WorkerOptions,
  welcome: Body<'welcome'>,
  { link, status }: Connection,
  resources: Resources,
): Promise<WorkerServices> {
  status.enter(Phase.PHASE_PREPARING, welcome.step);
  const config = resolveConfig({ flags: JSON.parse(welcome.configJson) as OptionValues });
  const spec = modelSpec(config.model, { ...config, classes: welcome.classes.length });
  const layout = parameterLayout(spec);

  const root = options.data ?? config.data;
  if (!isDirectory(root)) throw coded('DATA_NOT_ON_THIS_MACHINE', { host: hostname(), path: root });
  const manifestBytes = await link.call('pull', { part: 'manifest', target: null });
  const manifest = JSON.parse(Buffer.from(manifestBytes).toString()) as Manifest;
  const { train, val, test } = manifest;
  const difference = await firstFileDifference(root, manifest);
  if (difference !== null) throw coded('DATA_MANIFEST_MISMATCH', { difference });

  const plan = planDevice(options.device, config.backend, THIS_MACHINE);
  const { backend, gpu, visibleGpus } = plan;
  const unused = unusedGpus(options.device, config.backend, THIS_MACHINE, nvidiaGpusPresent());
  if (unused !== null) options.log.warn(unused);
  // Before the backend is loaded: the CUDA runtime reads it once.
  if (visibleGpus !== null) process.env['CUDA_VISIBLE_DEVICES'] = visibleGpus;
  const engine = await ComputeEngine.create({ ...config, backend, gpu, spec, threads: options.threads });
  const device = deviceName(plan, engine.backend);
  resources.add(() => engine.dispose());
  const state = allocateTrainingState(config, layout);
  await link.call('attach', state.shared);
  const loader = new Loader(
    {
      root,
      splits: { train: train.samples, val: val.samples, test: test.samples },
      transform: config,
      cacheBytes: config.cacheBytes,
    },
    { maxAhead: config.prefetch, timeoutMs: config.stepTimeoutMs },
  );
  resources.add(async () => loader.close());

  const training = trainingOn({ config, layout, state, engine });
  resources.add(() => training.dispose());
  const { accumulator } = training;
  const work = new StepWork({ config, layout, status, loader, engine, accumulator });
  const parts = { config, link, status, loader, engine, state, training, work };
  const loop = new StepLoop({ ...parts, log: options.log });
  return { config, spec, state, training, work, loop, engine, device };
}
