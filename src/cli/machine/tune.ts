/** `vitrail tune`: times the algorithms for a model's matrix products on a GPU and writes the fastest to a file. */
import type { Command } from 'commander';
import { writeGemmChoices } from '../../kernels/gemm-choices.js';
import { addGpuFlags, onGpu, type GpuFlags } from './gpu-flags.js';
import { runCommand } from '../run-command.js';
import { share } from '../share.js';
import { wholeNumber } from '../whole-number.js';
import { counted } from '../../errors/wording.js';

type TuneFlags = GpuFlags & {
  readonly microBatch: number;
  readonly dropout: number;
  readonly out: string;
};

async function tuneAction(flags: TuneFlags): Promise<void> {
  const { imageSize, microBatch, dropout, out } = flags;
  const options = { dropout, recompute: false, tune: true };
  const said = await onGpu(flags, 'products are tuned', options, async ({ engine }) => {
    const batch = {
      pixels: new Uint8Array(microBatch * imageSize * imageSize * 3).fill(100),
      flips: new Uint8Array(microBatch),
      labels: new Int32Array(microBatch),
    };
    await engine.trainMicroBatch(batch, { step: 0, microBatch: 0 }, () => undefined);
    await engine.evaluateMicroBatch(batch);
    const choices = engine.gpu!.gemmChoices();
    writeGemmChoices(out, choices);
    return `${out}: ${counted(choices.length, 'product')} of ${engine.backend}\n`;
  });
  process.stdout.write(said);
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
    .action(async (flags: TuneFlags) => runCommand(async () => tuneAction(flags)));
}
