/** `vitrail fit`: the largest micro-batch that fits a GPU's memory, from the peaks of one image and of two. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Option, type Command } from 'commander';
import { coded, plainError, revivedError, type PlainError, type VitrailError } from '../../errors/errors.js';
import type { RunConfig } from '../../run/config/schema.js';
import { parameterLayout } from '../../run/model/parameter-layout.js';
import { deviceStateBytes } from '../../worker/training/device-state.js';
import { largestMicroBatch, USABLE_SHARE } from '../../nn/engine/memory-fit.js';
import { planDevice } from '../../nn/engine/device.js';
import { surveyGpus, THIS_MACHINE } from '../../nn/engine/gpus.js';
import { addGpuFlags, onGpu, type GpuFlags } from '../training/gpu-flags.js';
import { runCommand } from '../run-command.js';
import { share } from '../share.js';

type FitFlags = GpuFlags &
  Pick<RunConfig, 'optimizer' | 'emaDecay'> & {
    readonly recompute?: boolean;
    readonly plainError?: boolean;
  };

/** Of `vitrail fit` as a process: it starts a GPU and computes twice. */
const FIT_TIMEOUT_MS = 600_000;

/** What it prints. */
interface Fit {
  /** 0 where not even one image fits. */
  readonly microBatch: number;
  /** The GPU's number. */
  readonly device: number;
  readonly memoryBytes: number;
  /** Peaks in bytes; null where that did not fit. */
  readonly peakOfOne: number | null;
  readonly peakOfTwo: number | null;
}

/** For `--micro-batch auto`, which tells of an error itself: told here as well it would be there twice. */
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

/** The largest power of two that fits and divides a worker's share of the batch. @param fits at least 1 */
export function chosenMicroBatch(fits: number, batch: number, workers: number): number {
  let chosen = 1;
  while (chosen * 2 <= Math.min(fits, batch / workers) && batch % (chosen * 2) === 0) chosen *= 2;
  return chosen;
}

/** What `fit --plain-error` ended with, null where its output is no error. */
export function errorOf(output: string): VitrailError | null {
  if (!output.startsWith('{"error":')) return null;
  return revivedError((JSON.parse(output) as { readonly error: PlainError }).error);
}

/**
 * What `--micro-batch auto` stands for: measured by a process of its own, which gives the GPU's memory back.
 * @throws DEVICE_UNUSABLE, DEVICE_TOO_SMALL
 */
export async function fittingMicroBatch(config: RunConfig, classes: number, device: string): Promise<number> {
  // The process would say why not as well, beside what it ended with.
  if (planDevice(device, 'native', THIS_MACHINE).gpu === null) {
    throw coded('DEVICE_UNUSABLE', { device, reason: 'memory is measured on a GPU only' });
  }
  const { model, imageSize, precision, gelu, optimizer, emaDecay, recompute } = config;
  const values = {
    model,
    'image-size': imageSize,
    classes,
    precision,
    gelu,
    device,
    optimizer,
    'ema-decay': emaDecay,
  };
  const flags = Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const cli = fileURLToPath(new URL('../../cli.js', import.meta.url));
  const child = spawn(
    process.execPath,
    [cli, 'fit', '--plain-error', ...flags, ...(recompute ? ['--recompute'] : [])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: FIT_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    },
  );
  const [output, [code, signal]] = await Promise.all([
    text(child.stdout),
    once(child, 'exit') as Promise<[number | null, string | null]>,
  ]);
  const error = errorOf(output);
  if (error !== null) throw error;
  if (code !== 0) {
    const reason = `\`vitrail fit\` ended with ${code ?? signal ?? 'an unknown code'} there`;
    throw coded('DEVICE_UNUSABLE', { device, reason });
  }
  const { microBatch, memoryBytes } = JSON.parse(output) as Fit;
  if (microBatch < 1) throw coded('DEVICE_TOO_SMALL', { device, reason: `it has ${memoryBytes} bytes` });
  return chosenMicroBatch(microBatch, config.batch, config.workers);
}

export function registerFit(program: Command): void {
  addGpuFlags(program.command('fit').description("the largest micro-batch that fits a GPU's memory, as JSON"))
    .addOption(
      new Option('--optimizer <name>', 'as of train').choices(['adamw', 'adam', 'sgd']).default('adamw'),
    )
    .option('--ema-decay <decay>', 'as of train', share, 0)
    .option('--recompute', 'as of train')
    .addOption(new Option('--plain-error', 'print an error as JSON').hideHelp())
    .action(async (flags: FitFlags) => {
      const action = async (): Promise<void> => fitAction(flags);
      await runCommand(flags.plainError === true ? async () => withPlainError(action) : action);
    });
}
