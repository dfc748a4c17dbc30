/** `vitrail fit`: the largest micro-batch that fits a GPU's memory, from the peaks of one image and of two. */
import { Option, type Command } from 'commander';
import type { Fit } from '../../api/local/fitting-micro-batch.js';
import { plainError } from '../../errors/errors.js';
import type { RunConfig } from '../../run/config/schema.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import { deviceStateBytes } from '../../worker/training/device-state.js';
import { largestMicroBatch, USABLE_SHARE } from '../../nn/engine/memory-fit.js';
import { surveyGpus } from '../../nn/engine/gpus.js';
import { addGpuFlags, onGpu, type GpuFlags } from './gpu-flags.js';
import { runCommand } from '../run-command.js';
import { share } from '../share.js';

type FitFlags = GpuFlags &
  Pick<RunConfig, 'optimizer' | 'emaDecay'> & {
    readonly recompute?: boolean;
    readonly plainError?: boolean;
  };

/**
 * For `--micro-batch auto`, which reports an error itself. If it were also printed here, it would appear
 * twice.
 */
async function withPlainError(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: plainError(error) })}\n`);
    process.exitCode = 1;
  }
}

async function fitAction(flags: FitFlags): Promise<void> {
  const { optimizer, emaDecay, recompute = false } = flags;
  const options = { dropout: 0.1, recompute };
  const fit = await onGpu(flags, 'memory is measured', options, ({ engine, spec, gpu }): Fit => {
    const [one, two] = [1, 2].map((images) => engine.peakBytes(images));
    const memoryBytes = surveyGpus().devices.find(({ ordinal }) => ordinal === gpu)!.memoryBytes;
    const limit =
      USABLE_SHARE * memoryBytes - deviceStateBytes({ optimizer, emaDecay }, parameterLayout(spec));
    const microBatch = largestMicroBatch(limit, one!, two!);
    // Infinity is null in JSON.
    return { microBatch, device: gpu, memoryBytes, peakOfOne: one!, peakOfTwo: two! };
  });
  process.stdout.write(`${JSON.stringify(fit)}\n`);
}

export function registerFit(program: Command): void {
  addGpuFlags(program.command('fit').description("the largest micro-batch that fits a GPU's memory, as JSON"))
    .addOption(
      new Option('--optimizer <name>', 'as for train').choices(['adamw', 'adam', 'sgd']).default('adamw'),
    )
    .option('--ema-decay <decay>', 'as for train', share, 0)
    .option('--recompute', 'as for train')
    .addOption(new Option('--plain-error', 'print an error as JSON').hideHelp())
    .action(async (flags: FitFlags) => {
      const action = async (): Promise<void> => fitAction(flags);
      await runCommand(flags.plainError === true ? async () => withPlainError(action) : action);
    });
}
