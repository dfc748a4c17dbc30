/** A worker process of a simulation: the real joining, step loop, communication and ring over simulated sockets. */
import { reasonOf } from '../errors/errors.js';
import type { Clock } from '../host/clock.js';
import type { WorkerNetwork } from '../host/network.js';
import { resolveConfig, type OptionValues } from '../run/config/config.js';
import type { RunConfig } from '../run/config/schema.js';
import type { RunSubject } from '../coordinator/coordinator.js';
import type { Body } from '../wire/codec.js';
import { Communication } from '../worker/link/communication.js';
import type { FromLink, LinkSettings, LinkThread } from '../worker/link/link-contract.js';
import { Link } from '../worker/link/link.js';
import { StatusBoard } from '../worker/link/status-board.js';
import { imageBatches } from '../worker/batches/micro-batches.js';
import { joinAndWork, type WorkerServices } from '../worker/participation.js';
import { StepLoop } from '../worker/step-loop.js';
import { StepWork } from '../worker/step-work.js';
import { hostTraining } from '../worker/training/host-training.js';
import { allocateTrainingState } from '../worker/training/training-state.js';
import type { Training } from '../worker/training/training.js';
import type { SimulatedProcess } from './simulated-process.js';
import { standInEngine, standInLoader, type Pace } from './stand-in-model.js';
import type { VirtualTime } from './virtual-time.js';

export interface SimulatedWorkerOptions {
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  readonly network: WorkerNetwork;
  readonly subject: RunSubject;
  readonly coordinator: string;
  readonly pace: Pace;
  readonly leave: AbortSignal;
  /** Called after each update. True damages a weight, as broken memory does. */
  readonly damaged: () => boolean;
  /** Called for every micro-batch that it computes, with the exponents of its plan. */
  readonly onCompute: (step: number, microBatch: number, exponents: string) => void;
  readonly coordinatorTimeoutMs: number;
  readonly connectTimeoutMs: number;
}

const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // Nobody reads the log of a simulated worker.
}

/** @returns the reason that the worker was given at the end. @throws the error that a worker process would end with */
export async function simulatedWorker(options: SimulatedWorkerOptions): Promise<Body<'stop'>> {
  const { process, time, coordinator, leave, coordinatorTimeoutMs, connectTimeoutMs } = options;
  const clock = time.clockOf(process);
  const status = new StatusBoard();
  const settings: LinkSettings = {
    coordinator,
    status: status.memory,
    coordinatorTimeoutMs,
    connectTimeoutMs,
    parentPid: null,
    metricsListen: null,
  };
  const { link } = await Link.open(clock, threadOf(options, clock, settings));
  const identity = { instance: process.randomId(), host: process.hostName, pid: process.pid };
  const own = { bind: process.hostName, advertise: process.hostName };
  try {
    return await joinAndWork(
      { coordinator, place: null, ringPorts: null, leave, onConnected: nothing, log: SILENT },
      { link, status, metricsAddress: '', own, identity },
      async (welcome) => prepared(options, clock, welcome, link, status),
    );
  } finally {
    await link.close();
  }
}

/** The communication thread. Every message to it and from it is an event of its own. */
function threadOf(
  { process, time, network }: SimulatedWorkerOptions,
  clock: Clock,
  settings: LinkSettings,
): LinkThread {
  let communication: Communication | null = null;
  let exit: () => void = nothing;
  return {
    start: ({ onMessage, onError, onExit }) => {
      exit = onExit;
      const tell = (message: FromLink): void => void time.plan(process, 0, () => onMessage(message));
      communication = new Communication({ clock, network }, settings, tell);
      communication.open().catch((error: unknown) => onError(new Error(reasonOf(error))));
    },
    post: (message) => {
      time.plan(process, 0, () => {
        void communication?.handle(message).then(() => {
          if (message.kind === 'call' && message.name === 'close') time.plan(process, 1, exit);
        });
      });
    },
    terminate: () => exit(),
  };
}

const configs = new Map<string, RunConfig>();

/** What a worker makes of its welcome, once for all workers that are told the same. */
function configOf(json: string): RunConfig {
  const known = configs.get(json);
  if (known !== undefined) return known;
  const config = resolveConfig({ flags: JSON.parse(json) as OptionValues });
  configs.set(json, config);
  return config;
}

async function prepared(
  { subject, pace, damaged, onCompute }: SimulatedWorkerOptions,
  clock: Clock,
  welcome: Body<'welcome'>,
  link: Link,
  status: StatusBoard,
): Promise<WorkerServices> {
  const config = configOf(welcome.configJson);
  const { spec, layout } = subject;
  await link.call('pull', { part: 'manifest', target: null });
  const state = allocateTrainingState(config, layout);
  await link.call('attach', state.shared);
  let exponents = '';
  const engine = standInEngine(clock, layout, welcome.classes.length, pace, (step, microBatch) =>
    onCompute(step, microBatch, exponents),
  );
  const loader = standInLoader(clock, pace);
  const real = hostTraining({ config, layout, state, engine }, undefined);
  const training: Training = {
    ...real,
    update: async (plan) => {
      const norm = await real.update(plan);
      if (damaged()) {
        state.weights[0]! += 1;
        await real.reload();
      }
      return norm;
    },
  };
  const { accumulator } = training;
  const batches = imageBatches(loader, engine);
  const work = new StepWork({ clock, config, layout, status, batches, accumulator });
  const compute = work.compute.bind(work);
  work.compute = async (plan, interrupted) => {
    exponents = plan.exponents.join();
    return compute(plan, interrupted);
  };
  const loop = new StepLoop({
    clock,
    config,
    link,
    status,
    batches,
    state,
    training,
    work,
    log: SILENT,
  });
  return { config, spec, state, work, loop, engine, device: '' };
}
