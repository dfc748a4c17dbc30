/**
 * A worker process: it joins the run, prepares, trains until it is told to stop, and joins again if it was
 * lost.
 */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolveConfig, type OptionValues } from '../run/config/config.js';
import type { Manifest } from '../run/dataset/manifest.js';
import { coded, reasonOf, type VitrailError } from '../errors/errors.js';
import { modelSpec } from '../run/model/model-spec.js';
import { parameterLayout } from '../run/model/parameter-layout.js';
import { trainedLayout } from '../run/model/trained-parameters.js';
import { Phase, type Body } from '../wire/codec.js';
import { systemClock } from '../host/clock.js';
import { Resources } from '../host/resources.js';
import { chosenBatches } from './batches/batch-choice.js';
import { Loader } from './data/loader.js';
import { firstFileDifference } from './data/manifest-check.js';
import { checkDevice, deviceName, planDevice, unusedGpus } from '../nn/engine/device.js';
import { ComputeEngine } from '../nn/engine/engine.js';
import { nvidiaGpusPresent } from '../kernels/gpu-presence.js';
import { THIS_MACHINE } from '../nn/engine/gpus.js';
import { trainingOn } from './training/training-choice.js';
import { Link } from './link/link.js';
import { startLinkThread } from './link/start-link-thread.js';
import { StatusBoard } from './link/status-board.js';
import { metricsAddress, metricsListen } from './metrics-address.js';
import { ownAddress, tcpHostAndPort } from './own-address.js';
import {
  joinAndWork,
  type ParticipationOptions,
  type WorkerConnection,
  type WorkerServices,
} from './participation.js';
import { StepLoop } from './step-loop.js';
import { StepWork } from './step-work.js';
import { allocateTrainingState } from './training/training-state.js';

export interface WorkerOptions extends ParticipationOptions {
  /** Folder of the images on this machine; null for the one that the coordinator names. */
  readonly data: string | null;
  /** auto, cpu, cuda:N */
  readonly device: string;
  /** Threads of the native kernels; 0 for one per processor. */
  readonly threads: number;
  /** HOST:PORT for /metrics, auto or none. */
  readonly metricsListen: string;
  /** The host that others are given; null for the address that faces the coordinator. */
  readonly advertise: string | null;
  /** Whether this process ends when its parent does. */
  readonly supervised: boolean;
  /** Longest wait for a coordinator that has gone silent to be started again. */
  readonly coordinatorTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

/**
 * The random name of this process. (Pid and host name may be the same in two containers.) It has no influence
 * on weights.
 */
const IDENTITY = { instance: randomUUID(), host: hostname(), pid: process.pid };

/** Joins the run and works in it to its end. @throws a coded error when it cannot go on */
export async function runWorker(options: WorkerOptions): Promise<Body<'stop'>> {
  tcpHostAndPort(options.coordinator);
  checkDevice(options.device, THIS_MACHINE);
  const status = new StatusBoard();
  const { coordinator, coordinatorTimeoutMs, connectTimeoutMs, advertise, leave, log } = options;
  const onWait = (error: VitrailError): void => log.warn(`${error.problem}: asking again`);
  const own = await ownAddress({ coordinator, advertise, timeoutMs: connectTimeoutMs, leave, onWait });
  const listening = metricsListen(options.metricsListen, own.bind);
  const parentPid = options.supervised ? process.ppid : null;
  const times = { coordinatorTimeoutMs, connectTimeoutMs };
  const settings = { coordinator, ...times, metricsListen: listening, parentPid, status: status.memory };
  const { link, metricsAddress: served } = await Link.open(systemClock, startLinkThread(settings));
  const told = served === '' ? '' : metricsAddress(served, own.advertise);
  if (served !== '' && told === '') log.warn(`only this machine can read the metrics at ${served}`);
  const resources = new Resources();
  resources.add(async () => link.close());
  const alsoFailed = (error: unknown): void =>
    options.log.warn({ error: reasonOf(error) }, 'could not tidy up after a failure');
  const connection = { link, status, metricsAddress: told, own, identity: IDENTITY };
  const prepared = async (welcome: Body<'welcome'>): Promise<WorkerServices> =>
    prepare(options, welcome, connection, resources);
  return resources.during(async () => joinAndWork(options, connection, prepared), alsoFailed);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Makes data, engine and memory: everything that is needed before the first step, except the state. */
async function prepare(
  options: WorkerOptions,
  welcome: Body<'welcome'>,
  { link, status }: WorkerConnection,
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
  // Must be set before the backend is loaded, because the CUDA runtime reads it only once.
  if (visibleGpus !== null) process.env['CUDA_VISIBLE_DEVICES'] = visibleGpus;
  const engine = await ComputeEngine.create({ ...config, backend, gpu, spec, threads: options.threads });
  const device = deviceName(plan, engine.backend);
  resources.add(() => engine.dispose());
  const state = allocateTrainingState(config, layout);
  await link.call('attach', state.shared);
  const splits = { train: train.samples, val: val.samples, test: test.samples };
  const loader = new Loader(
    {
      root,
      splits,
      transform: config,
      // An image whose features are kept is not needed again.
      cacheBytes: config.cacheFeatures ? 0 : config.cacheBytes,
    },
    { maxAhead: config.prefetch, timeoutMs: config.stepTimeoutMs },
  );
  resources.add(async () => loader.close());

  const training = trainingOn({ config, layout, state, engine });
  resources.add(() => training.dispose());
  const { accumulator } = training;
  const batches = chosenBatches({ config, spec, loader, engine, splits, log: options.log });
  const work = new StepWork({
    clock: systemClock,
    config,
    layout: trainedLayout(layout, config.freeze),
    status,
    batches,
    accumulator,
  });
  const parts = { clock: systemClock, config, link, status, batches, state, training, work };
  const loop = new StepLoop({ ...parts, log: options.log });
  return { config, spec, state, work, loop, engine, device };
}
