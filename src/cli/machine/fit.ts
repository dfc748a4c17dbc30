/** `vitrail fit`: the largest micro-batch that fits a GPU's memory, from the peaks of one image and of two. */
import { Option, type Command } from 'commander';
import { fit, type FitOptions } from '../../api/fit.js';
import { plainError } from '../../errors/errors.js';
import { runCommand } from '../run-command.js';
import { share } from '../share.js';
import { addGpuFlags } from './gpu-flags.js';

type FitFlags = FitOptions & { readonly plainError?: boolean };

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
  process.stdout.write(`${JSON.stringify(await fit(flags))}\n`);
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
