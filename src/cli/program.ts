/** All commands. */
import { Command } from 'commander';
import { registerChaos } from './chaos.js';
import { registerData } from './data-check.js';
import { registerDemo } from './demo.js';
import { registerDevices } from './devices.js';
import { registerDigest } from './digest.js';
import { registerEvaluate } from './evaluate.js';
import { registerFit } from './fit.js';
import { expandPathsOf } from './path-arguments.js';
import { registerPatches } from './patches.js';
import { registerPredict } from './predict.js';
import { registerStatus } from './status.js';
import { registerSummary } from './summary.js';
import { registerTrain } from './train.js';
import { registerTune } from './tune.js';
import { registerWorker } from './worker.js';
import { VERSION } from '../shared/version.js';

/** Every command with its options; nothing runs before `parseAsync`. */
export function createProgram(): Command {
  const program = new Command('vitrail')
    .description(
      'distributed training of Vision Transformers: the same weights bit for bit on any number of workers',
    )
    .version(VERSION)
    .showHelpAfterError('(--help lists the options)');

  registerTrain(program);
  registerDemo(program);
  registerWorker(program);
  registerTune(program);
  registerEvaluate(program);
  registerFit(program);
  registerPredict(program);
  registerSummary(program);
  registerDigest(program);
  registerDevices(program);
  registerPatches(program);
  registerData(program);
  registerStatus(program);
  registerChaos(program);
  expandPathsOf(program);
  return program;
}
