/** The flags of `fit` and `tune` that name a model and a GPU. */
import { Option, type Command } from 'commander';
import { wholeNumber } from '../whole-number.js';

export function addGpuFlags(command: Command): Command {
  return command
    .requiredOption('--model <name>', 'as for train')
    .option('--image-size <pixels>', 'as for train', wholeNumber(1), 224)
    .option('--classes <n>', 'classes of the data set', wholeNumber(1), 1000)
    .addOption(new Option('--precision <precision>').choices(['fp32', 'bf16']).default('bf16'))
    .addOption(new Option('--gelu <form>', 'as for train').choices(['tanh', 'erf']).default('tanh'))
    .option('--device <device>', 'GPU, as cuda:N', 'cuda:0');
}
