/** All commands with their descriptions for `vitrail --help`. Each is loaded only when it is used. */
import type { Command } from 'commander';

type Register = (program: Command) => void;

export interface ListedCommand {
  readonly name: string;
  /** The arguments after the name, as help shows them. */
  readonly usage: string;
  readonly description: string;
  /** Loads the function that adds the command. */
  readonly load: () => Promise<Register>;
}

const train = async (): Promise<Register> => (await import('./training/train.js')).registerTrain;

/** In the order of `--help`. `train` adds `coordinator` too. */
export const COMMANDS: readonly ListedCommand[] = [
  {
    name: 'train',
    usage: '[options]',
    description: 'train on this machine: one coordinator and N worker processes',
    load: train,
  },
  {
    name: 'coordinator',
    usage: '[options]',
    description: 'plan and commit the steps of a run; workers join with `vitrail worker`',
    load: train,
  },
  {
    name: 'demo',
    usage: '[options]',
    description: 'draw a small set of images, train on it with two workers, show the result',
    load: async () => (await import('./training/demo.js')).registerDemo,
  },
  {
    name: 'worker',
    usage: '[options]',
    description: 'compute for a coordinator, here or on another machine',
    load: async () => (await import('./training/worker.js')).registerWorker,
  },
  {
    name: 'tune',
    usage: '[options]',
    description: "time the algorithms for a model's matrix products on a GPU, for --product-choices",
    load: async () => (await import('./machine/tune.js')).registerTune,
  },
  {
    name: 'evaluate',
    usage: '[options] <checkpoint>',
    description: 'loss, top-1 accuracy and confusion matrix of a checkpoint',
    load: async () => (await import('./trained/evaluate.js')).registerEvaluate,
  },
  {
    name: 'fit',
    usage: '[options]',
    description: "the largest micro-batch that fits a GPU's memory, as JSON",
    load: async () => (await import('./machine/fit.js')).registerFit,
  },
  {
    name: 'predict',
    usage: '[options] <checkpoint> <image...>',
    description: 'the most probable classes of images',
    load: async () => (await import('./trained/predict.js')).registerPredict,
  },
  {
    name: 'export',
    usage: '[options] <checkpoint>',
    description: 'write a trained model for Hugging Face, timm, torchvision or ONNX',
    load: async () => (await import('./trained/export.js')).registerExport,
  },
  {
    name: 'summary',
    usage: '[options] <model>',
    description: 'layers, shapes, parameters and FLOPs of a model',
    load: async () => (await import('./trained/summary.js')).registerSummary,
  },
  {
    name: 'digest',
    usage: '[options] <checkpoint>',
    description: 'SHA-256 over all weights of a checkpoint, as docs/architecture.md lays them out',
    load: async () => (await import('./trained/digest.js')).registerDigest,
  },
  {
    name: 'devices',
    usage: '[options]',
    description: 'processors and GPUs that this machine can compute on, and why others cannot be used',
    load: async () => (await import('./machine/devices.js')).registerDevices,
  },
  {
    name: 'patches',
    usage: '[options] <image>',
    description: 'draw an image cut into its patches',
    load: async () => (await import('./data/patches.js')).registerPatches,
  },
  {
    name: 'data',
    usage: '',
    description: 'look after data sets',
    load: async () => (await import('./data/data-check.js')).registerData,
  },
  {
    name: 'status',
    usage: '[options] [run]',
    description: 'what a run is doing: its workers, step, speeds and last events',
    load: async () => (await import('./watching/status.js')).registerStatus,
  },
  {
    name: 'chaos',
    usage: '[options]',
    description:
      'train while processes are killed, stopped and cut off, and compare the weights with a clean run',
    load: async () => (await import('./watching/chaos.js')).registerChaos,
  },
];
