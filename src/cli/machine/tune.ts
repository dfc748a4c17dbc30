/** `vitrail tune`: times the algorithms for a model's matrix products on a GPU and writes the fastest to a file. */
import type { Command } from 'commander';
import { tune, type TuneOptions } from '../../api/tune.js';
import { counted } from '../../errors/wording.js';
import { runCommand } from '../run-command.js';
import { share } from '../share.js';
import { wholeNumber } from '../whole-number.js';
import { addGpuFlags } from './gpu-flags.js';

async function tuneAction(flags: TuneOptions): Promise<void> {
  const { products, backend } = await tune(flags);
  process.stdout.write(`${flags.out}: ${counted(products, 'product')} of ${backend}\n`);
}

export function registerTune(program: Command): void {
  addGpuFlags(
    program
      .command('tune')
      .description("time the algorithms for a model's matrix products on a GPU, for --product-choices"),
  )
    .option('--micro-batch <n>', 'as for train', wholeNumber(1), 64)
    .option('--dropout <p>', 'as for train: it decides what is fused', share, 0)
    .option('--out <file>', 'table to write', 'products.json')
    .action(async (flags: TuneOptions) => runCommand(async () => tuneAction(flags)));
}
