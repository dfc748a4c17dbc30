/** A worker process: join, prepare, train until told to stop. */
import { hostname } from 'node:os';
import { resolveConfig, type OptionValues } from '../shared/config/config.js';
import type { RunConfig } from '../shared/config/schema.js';
import type { Manifest } from '../shared/dataset/manifest.js';
import { coded, plainError, revivedError } from '../shared/errors.js';
import type { Logger } from '../shared/log/logger.js';
import { modelSpec, type ModelSpec } from '../shared/model/model-spec.js';
import { parameterLayout } from '../shared/model/parameter-layout.js';
import { Phase, PROTOCOL_VERSION, type Body } from '../shared/protocol/codec.js';
import { VERSION } from '../shared/version.js';
import { createAccumulator } from './collective/accumulator.js';
import { Loader } from './data/loader.js';
import { firstFileDifference } from './data/manifest-check.js';
import { planDevice } from './engine/device.js';
import { ComputeEngine } from './engine/engine.js';
import { loadKernels } from './engine/native/addon.js';
import { Link } from './link/link.js';
import { StatusBoard } from './link/status-board.js';
import { initialWeights } from './model/initialisation.js';
import { localAddressTowards, tcpHostAndPort } from './local-address.js';
import { StepLoop } from './step-loop.js';
import { allocateTrainingState, type TrainingState } from './training-state.js';

export interface WorkerOptions {
  /** tcp://HOST:PORT */
  readonly coordinator: string;
  /** Where the images lie on this machine; null: where the coordinator says. */
  readonly data: string | null;
  /** auto, cpu, cuda:N */
  readonly device: string;
  /** Of the native kernels; 0: one for each processor. */
  readonly threads: number;
  /** HOST:PORT for /metrics, or null. */
  readonly metricsListen: string | null;
  /** End when the parent process ends. */
  readonly supervised: boolean;
  readonly heartbeatTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly log: Logger;
}

/** Joins the run and works in it to its end. @throws a coded error when it cannot go on */
export async function runWorker(options: WorkerOptions): Promise<Body<'stop'>> {
  tcpHostAndPort(options.coordinator);
  const status = new StatusBoard();
  const { coordinator, heartbeatTimeoutMs, connectTimeoutMs, metricsListen } = options;
  const parentPid = options.supervised ? process.ppid : null;
  const times = { heartbeatTimeoutMs, connectTimeoutMs };
  const settings = { coordinator, ...times, metricsListen, parentPid, status: status.memory };
  const { link, metricsAddress } = await Link.open(settings);
  const closers: (() => Promise<void> | void)[] = [];
  let admitted = false;
  try {
    const welcome = await join(link, metricsAddress);
    admitted = true;
    options.log.info({ worker: welcome.worker, coordinator }, 'joined');
    const loop = await prepare(options, welcome, link, status, closers);
    options.log.info({ step: welcome.step }, 'ready');
    const stop = await loop.run();
    link.send('goodbye', {});
    return stop;
  } catch (error) {
    if (admitted) link.send('failure', plainError(error));
    throw error;
  } finally {
    for (const close of closers.reverse()) await close();
    await link.close();
  }
}

async function join(link: Link, metricsAddress: string): Promise<Body<'welcome'>> {
  const pid = process.pid;
  link.send('hello', {
    protocolVersion: PROTOCOL_VERSION,
    softwareVersion: VERSION,
    host: hostname(),
    pid,
    metricsAddress: reachable(metricsAddress),
  });
  const answer = await link.receive();
  if (answer.name === 'welcome') return answer.body;
  if (answer.name === 'refusal') {
    throw revivedError(answer.body);
  }
  if (answer.name === 'stop') throw coded('WORKER_REFUSED', { reason: answer.body.reason });
  throw coded('PROTOCOL_GARBAGE', { peer: 'the coordinator', reason: `${answer.name} instead of welcome` });
}

/** An address for others: a wildcard stands for this machine's name. */
function reachable(address: string): string {
  return address.replace(/^(?:0\.0\.0\.0|\[::\]):/, `${hostname()}:`);
}

/** Data, weights, engine, ring: all that is needed before the first step. */
async function prepare(
  options: WorkerOptions,
  welcome: Body<'welcome'>,
  link: Link,
  status: StatusBoard,
  closers: (() => Promise<void> | void)[],
): Promise<StepLoop> {
  status.enter(Phase.PHASE_PREPARING, welcome.step);
  const config = resolveConfig({ flags: JSON.parse(welcome.configJson) as OptionValues });
  const spec = modelSpec(config.model, { ...config, classes: welcome.classes.length });
  const layout = parameterLayout(spec);

  const root = options.data ?? config.data;
  const manifestBytes = await link.call('pull', { part: 'manifest', target: null });
  const manifest = JSON.parse(Buffer.from(manifestBytes).toString()) as Manifest;
  const difference = await firstFileDifference(root, manifest);
  if (difference !== null) throw coded('DATA_MANIFEST_MISMATCH', { difference });

  const { backend, visibleGpus } = planDevice(options.device, config.backend);
  // Before the backend is loaded: the CUDA runtime reads it once.
  if (visibleGpus !== null) process.env['CUDA_VISIBLE_DEVICES'] = visibleGpus;
  const engine = await ComputeEngine.create({ ...config, backend, spec, threads: options.threads });
  closers.push(() => engine.dispose());
  const { kernels } = loadKernels();
  const state = allocateTrainingState(config, layout, kernels);
  await fillState(state, config, spec, welcome, link);
  engine.loadWeights(state.weights);

  const loader = new Loader(
    {
      root,
      splits: { train: manifest.train.samples, test: manifest.test.samples },
      transform: config,
      patch: spec.patch,
      cacheBytes: config.cacheBytes,
    },
    { maxAhead: config.prefetch, timeoutMs: config.stepTimeoutMs },
  );
  closers.push(async () => loader.close());

  await link.call('attach', state.shared);
  const transport = config.ringTransport;
  // The coordinator has just spoken: this connection is only to learn which interface faces it.
  const host = await localAddressTowards(options.coordinator, options.heartbeatTimeoutMs);
  const ringEndpoint = await link.call('openRing', { transport, host, runToken: welcome.runToken });
  link.send('ready', {
    backend: engine.backend,
    ringEndpoint,
    step: welcome.step,
    stateParts: Object.keys(state.shared.parts),
  });
  const accumulator = createAccumulator(state.shared.kind, layout, state.shared.mine, kernels);
  return new StepLoop({
    worker: welcome.worker,
    config,
    layout,
    link,
    status,
    loader,
    engine,
    state,
    accumulator,
    kernels,
    log: options.log,
  });
}

/** Weights and moments: pulled from the coordinator in a resumed or fine-tuned run, else from the seed. */
async function fillState(
  { optimizer, weights, moments, shared }: TrainingState,
  config: RunConfig,
  spec: ModelSpec,
  welcome: Body<'welcome'>,
  link: Link,
): Promise<void> {
  if (welcome.pullParts.length === 0) weights.set(initialWeights(spec, config.init, config.seed));
  for (const part of welcome.pullParts) {
    const target = shared.parts[part];
    if (target === undefined) throw coded('INTERNAL', { reason: `no state part called ${part}` });
    await link.call('pull', { part, target });
  }
  const momentsPulled = welcome.pullParts.length > 1;
  if (!momentsPulled) optimizer.initialise(moments, weights);
}
