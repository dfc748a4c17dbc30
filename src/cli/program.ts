/** All commands, each loaded when it is asked for: what the others need takes a second. */
import { Command } from 'commander';
import { expandPathsOf } from './path-arguments.js';
import { suggestNamesOf } from './suggestions.js';
import { VERSION } from '../host/version.js';

type Register = (program: Command) => void;

const train = async (): Promise<Register> => (await import('./training/train.js')).registerTrain;

/** What adds a command, in the order of `--help`. `train` adds `coordinator` too. */
const COMMANDS = new Map<string, () => Promise<Register>>([
  ['train', train],
  ['coordinator', train],
  ['demo', async () => (await import('./training/demo.js')).registerDemo],
  ['worker', async () => (await import('./training/worker.js')).registerWorker],
  ['tune', async () => (await import('./machine/tune.js')).registerTune],
  ['evaluate', async () => (await import('./trained/evaluate.js')).registerEvaluate],
  ['fit', async () => (await import('./machine/fit.js')).registerFit],
  ['predict', async () => (await import('./trained/predict.js')).registerPredict],
  ['summary', async () => (await import('./trained/summary.js')).registerSummary],
  ['digest', async () => (await import('./trained/digest.js')).registerDigest],
  ['devices', async () => (await import('./machine/devices.js')).registerDevices],
  ['patches', async () => (await import('./data/patches.js')).registerPatches],
  ['data', async () => (await import('./data/data-check.js')).registerData],
  ['status', async () => (await import('./watching/status.js')).registerStatus],
  ['chaos', async () => (await import('./watching/chaos.js')).registerChaos],
]);

/**
 * Commands with their options; nothing runs before `parseAsync`.
 * @param wanted the first word of the command line; all commands are there when it is none of them (a typing error, `help`)
 */
export async function createProgram(wanted?: string): Promise<Command> {
  const program = new Command('vitrail')
    .description(
      'distributed training of Vision Transformers: the same weights bit for bit on any number of workers',
    )
    .version(VERSION)
    .showHelpAfterError('(--help lists the options)');

  const one = wanted === undefined ? undefined : COMMANDS.get(wanted);
  const registers = await Promise.all(
    (one === undefined ? [...COMMANDS.values()] : [one]).map((load) => load()),
  );
  for (const register of new Set(registers)) register(program);
  expandPathsOf(program);
  suggestNamesOf(program);
  return program;
}
