#!/usr/bin/env node
/** The command line. */
import { Command } from 'commander';
import { registerChaos } from './cli/chaos.js';
import { registerData } from './cli/data-check.js';
import { registerDemo } from './cli/demo.js';
import { registerDevices } from './cli/devices.js';
import { registerDigest } from './cli/digest.js';
import { registerEvaluate } from './cli/evaluate.js';
import { registerFit } from './cli/fit.js';
import { registerPatches } from './cli/patches.js';
import { registerPredict } from './cli/predict.js';
import { registerStatus } from './cli/status.js';
import { registerSummary } from './cli/summary.js';
import { registerTrain } from './cli/train.js';
import { registerTune } from './cli/tune.js';
import { registerWorker } from './cli/worker.js';
import { VERSION } from './shared/version.js';

const program = new Command('vitrail')
  .description(
    'distributed training of Vision Transformers: the same weights bit for bit on any number of workers',
  )
  .version(VERSION)
  .showHelpAfterError('(--help lists the options)');

// A reader that has seen enough, `head` for one, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

// Nobody reads what is written there, or its disk is full: that ends nothing.
process.stderr.on('error', () => undefined);

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

await program.parseAsync();
