/** Options of a run: its folder and devices, and its workers. */
import { z } from 'zod';
import { operational, option, path, whole } from './option-kinds.js';

export const clusterOptions = {
  // run
  out: path(
    operational(
      z.string().min(1).default('runs/vitrail'),
      'run',
      'run folder, for checkpoints, log and summary',
    ),
  ),
  resume: operational(
    z.boolean().default(false),
    'run',
    'continue from the newest checkpoint in the run folder that verifies',
  ),
  extendToEpochs: operational(
    whole(1).nullable().default(null),
    'run',
    'with --resume: make the run this long; from there the learning rate decays as in a run of that length',
    'epochs',
  ),
  checkpointEverySteps: operational(
    whole(0).default(0),
    'run',
    'write a checkpoint after this many steps, 0 for the ends of epochs only',
    'steps',
  ),
  auditEverySteps: operational(
    whole(0).default(100),
    'run',
    'compare the weights of all workers after this many steps, 0 for checkpoints only',
    'steps',
  ),
  keepLast: operational(
    whole(1, 1000).default(2),
    'run',
    'newest checkpoints to keep (the best is kept as well)',
  ),
  backend: option(
    z.enum(['auto', 'native', 'wasm', 'cpu', 'tensorflow']).default('auto'),
    'run',
    'tfjs backend of the workers; auto: native where its kernels find a GPU, else tensorflow where installed, else native where built, else wasm',
  ),
  precision: option(
    z.enum(['fp32', 'bf16']).default('fp32'),
    'run',
    'number format of matrix products and stored activations; bf16 on the native backend only (sums and weights stay fp32)',
  ),
  threads: operational(
    whole(0, 1024).default(0),
    'run',
    "threads of each local worker's native kernels; 0 shares this machine's processors among the workers",
  ),
  devices: operational(
    z.string().min(1).default('auto'),
    'run',
    'devices of the local workers in turn, for example "cuda:0,cuda:1" or "cpu"; auto gives each worker its own GPU if there are any',
  ),
  productChoices: path(
    operational(
      z.string().min(1).nullable().default(null),
      'run',
      "table of algorithms for a GPU's matrix products, written by `vitrail tune`; all workers need the same table",
    ),
  ),
  logLevel: operational(
    z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    'run',
    'least important messages that go to stderr',
  ),

  // cluster
  workers: operational(
    whole(1, 1024).default(1),
    'cluster',
    'workers that the run starts with; without it `train` starts one for each GPU, or one that uses all processors',
  ),
  minWorkers: operational(
    whole(1, 1024).nullable().default(null),
    'cluster',
    'fewest workers to start with and to go on with; by default a run starts with all and goes on with one',
  ),
  maxWorkers: operational(
    whole(1, 4096).nullable().default(null),
    'cluster',
    'most workers that may join; by default as many as a step has micro-batches',
  ),
  maxRestarts: operational(
    whole(0, 10_000).default(3),
    'cluster',
    'most worker processes that `train` starts in place of failed ones, over the whole run',
  ),
  balance: operational(
    z.enum(['speed', 'even']).default('speed'),
    'cluster',
    'how micro-batches are shared out: by measured speed, or the same number to all workers',
  ),
  listen: operational(
    z.string().default('tcp://127.0.0.1:0'),
    'cluster',
    'address for workers; port 0 takes a free one',
  ),
  httpListen: operational(
    z.string().default('127.0.0.1:0'),
    'cluster',
    'address of /metrics, /healthz, /discovery; port 0 takes a free one',
  ),
  advertise: operational(
    z.string().min(1).nullable().default(null),
    'cluster',
    'host by which others reach a coordinator that listens on all addresses; by default its first address',
  ),
  ringTransport: operational(
    z.enum(['tcp', 'ipc']).default('tcp'),
    'cluster',
    'sockets of the all-reduce; ipc only on one machine',
  ),
  joinTimeoutMs: operational(
    whole(100).default(120_000),
    'cluster',
    'longest wait for workers to join, at the start and when too few are left',
    'ms',
  ),
  stepTimeoutMs: operational(
    whole(100).default(600_000),
    'cluster',
    'time without progress after which a worker that still answers counts as hung and is removed',
    'ms',
  ),
  ringTimeoutMs: operational(
    whole(100).default(10_000),
    'cluster',
    'time after which an all-reduce that has stalled is begun again',
    'ms',
  ),
  suspectAfterMs: operational(
    whole(50).default(2_000),
    'cluster',
    'silence after which a worker is suspected',
    'ms',
  ),
  heartbeatTimeoutMs: operational(
    whole(100).default(10_000),
    'cluster',
    'silence after which a worker is removed',
    'ms',
  ),
};
