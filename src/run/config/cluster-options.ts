/** Options of a run: its folder and devices, and its workers. */
import { z } from 'zod';
import { operational, option, path, whole } from './option-kinds.js';

export const clusterOptions = {
  // run
  out: path(
    operational(z.string().min(1).default('runs/vitrail'), 'run', 'run folder: checkpoints, log, summary'),
  ),
  resume: operational(
    z.boolean().default(false),
    'run',
    'continue from the newest checkpoint in the run folder that verifies',
  ),
  extendToEpochs: operational(
    whole(1).nullable().default(null),
    'run',
    'with --resume: make the run this long; the decay goes on as in a run of that length',
    'epochs',
  ),
  checkpointEverySteps: operational(
    whole(0).default(0),
    'run',
    'checkpoint after this many steps, 0 for epoch ends only',
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
    'of products and stored activations; bf16 on the native backend only (sums and weights stay fp32)',
  ),
  threads: operational(
    whole(0, 1024).default(0),
    'run',
    "of a local worker's native kernels; 0 shares this machine's processors among the workers",
  ),
  devices: operational(
    z.string().min(1).default('auto'),
    'run',
    'of the local workers in turn, say "cuda:0,cuda:1" or "cpu"; auto gives each a GPU of its own where there are any',
  ),
  productChoices: path(
    operational(
      z.string().min(1).nullable().default(null),
      'run',
      "table of algorithms for a GPU's matrix products, from `vitrail tune`; all workers need the same",
    ),
  ),
  logLevel: operational(
    z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    'run',
    'what goes to stderr',
  ),

  // cluster
  workers: operational(
    whole(1, 1024).default(1),
    'cluster',
    'workers that the run is started with; train without it: one for each GPU, else one with all processors',
  ),
  minWorkers: operational(
    whole(1, 1024).nullable().default(null),
    'cluster',
    'start with as many, and wait when there are fewer; none: start with all, go on with one',
  ),
  maxWorkers: operational(
    whole(1, 4096).nullable().default(null),
    'cluster',
    'workers that may join; none: as many as a step has micro-batches',
  ),
  maxRestarts: operational(
    whole(0, 10_000).default(3),
    'cluster',
    'train: worker processes that are started in place of failed ones, over the whole run',
  ),
  balance: operational(
    z.enum(['speed', 'even']).default('speed'),
    'cluster',
    'micro-batches of a worker: by its measured speed, or the same for all',
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
    'host by which others reach this coordinator where it listens on all addresses; none: its first address',
  ),
  ringTransport: operational(
    z.enum(['tcp', 'ipc']).default('tcp'),
    'cluster',
    'sockets of the all-reduce; ipc only on one machine',
  ),
  joinTimeoutMs: operational(
    whole(100).default(120_000),
    'cluster',
    'wait for workers to join, at the start and when too few are left',
    'ms',
  ),
  stepTimeoutMs: operational(
    whole(100).default(600_000),
    'cluster',
    'time without progress after which a worker that answers is said to hang, and taken out',
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
