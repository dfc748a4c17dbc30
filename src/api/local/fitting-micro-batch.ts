/**
 * `microBatch: 'auto'`: finds the largest micro-batch that fits a GPU's memory, which a separate process
 * measures.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { coded, revivedError, type PlainError, type VitrailError } from '../../errors/errors.js';
import { COMMAND_LINE } from '../../host/programs.js';
import { planDevice } from '../../nn/engine/device.js';
import { surveyGpus, THIS_MACHINE } from '../../nn/engine/gpus.js';
import { scanOptionsOf } from '../../run/config/scan-options.js';
import type { RunConfig } from '../../run/config/schema.js';
import { scanDataset } from '../../run/dataset/dataset-scan.js';
import { resumption, storedOptions } from '../resumed-run.js';
import type { Coordination } from '../coordinated-run.js';
import type { Fit } from '../fit.js';
import { resolveRunOptions, type UncheckedOptions } from '../run-options.js';
import { deviceOfWorker } from './local-devices.js';

/** Longest time for the `vitrail fit` process, which starts a GPU and computes twice. */
const FIT_TIMEOUT_MS = 600_000;

/** The largest power of two that fits and divides a worker's share of the batch. @param fits at least 1 */
export function chosenMicroBatch(fits: number, batch: number, workers: number): number {
  let chosen = 1;
  while (chosen * 2 <= Math.min(fits, batch / workers) && batch % (chosen * 2) === 0) chosen *= 2;
  return chosen;
}

/** The error that `fit --plain-error` printed; null if its output is no error. */
export function errorOf(output: string): VitrailError | null {
  if (!output.startsWith('{"error":')) return null;
  return revivedError((JSON.parse(output) as { readonly error: PlainError }).error);
}

function fitArguments(config: RunConfig, classes: number, device: string): string[] {
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
  return ['fit', '--plain-error', ...flags, ...(recompute ? ['--recompute'] : [])];
}

/**
 * Measures in another process, which frees the GPU's memory when it ends. @throws DEVICE_UNUSABLE,
 * DEVICE_TOO_SMALL
 */
async function fittingMicroBatch(
  config: RunConfig,
  classes: number,
  device: string,
  signal: AbortSignal,
): Promise<number> {
  // The process would also print why not, in addition to its error.
  if (planDevice(device, 'native', THIS_MACHINE).gpu === null) {
    throw coded('DEVICE_UNUSABLE', { device, reason: 'memory is measured on a GPU only' });
  }
  const child = spawn(process.execPath, [COMMAND_LINE, ...fitArguments(config, classes, device)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: FIT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  const [output, said, [code, endedBy]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null, string | null]>,
  ]).finally(() => signal.removeEventListener('abort', kill));
  const error = errorOf(output);
  if (error !== null) throw error;
  if (code !== 0) {
    const last = said.trimEnd().split('\n').at(-1) ?? '';
    const end = `\`vitrail fit\` ended with ${code ?? endedBy ?? 'an unknown code'} there`;
    const reason = last === '' ? end : `${end}: ${last}`;
    throw coded('DEVICE_UNUSABLE', { device, reason });
  }
  const { microBatch, memoryBytes } = JSON.parse(output) as Fit;
  if (microBatch < 1) throw coded('DEVICE_TOO_SMALL', { device, reason: `it has ${memoryBytes} bytes` });
  return chosenMicroBatch(microBatch, config.batch, config.workers);
}

/** `options` with a number in place of `auto`. @param signal aborts the measurement */
export async function withMicroBatch(
  options: UncheckedOptions,
  { tell, signal }: Pick<Coordination, 'tell' | 'signal'>,
): Promise<UncheckedOptions> {
  if (options.microBatch !== 'auto') return options;
  // A resumed run uses the number that was found when it was started.
  const resumed = resumption(options, {});
  if (resumed !== null && (await storedOptions(resumed)) !== null)
    return { ...options, microBatch: undefined };
  const config = await resolveRunOptions({ ...options, microBatch: 1 });
  const device = deviceOfWorker(0, config.devices, config.backend, () => surveyGpus().usable);
  const classes = (await scanDataset(config.data, scanOptionsOf(config))).classes.length;
  const microBatch = await fittingMicroBatch(config, classes, device === 'auto' ? 'cuda:0' : device, signal);
  const text = `micro-batch ${microBatch}: the largest power of two that fits ${device}`;
  tell({ kind: 'note', level: 'info', text });
  return { ...options, microBatch };
}
