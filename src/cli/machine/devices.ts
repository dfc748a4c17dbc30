/** `vitrail devices`: the processors and GPUs that this machine can compute on, and why others cannot be used. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { loadKernels } from '../../kernels/addon.js';
import { surveyGpus, type GpuSurvey } from '../../nn/engine/gpus.js';
import { runCommand } from '../run-command.js';
import { counted } from '../../errors/wording.js';

interface Devices {
  readonly processor: {
    readonly processors: number;
    /** Levels of native kernels that it can run, the best one last; empty if they are not built. */
    readonly levels: readonly string[];
    readonly problem: string;
  };
  readonly gpus: GpuSurvey;
}

function survey(): Devices {
  const loaded = loadKernels();
  const levels = loaded.kernels?.levels() ?? [];
  const problem = loaded.kernels === undefined ? loaded.reason : '';
  return { processor: { processors: availableParallelism(), levels, problem }, gpus: surveyGpus() };
}

/** 1000 major + 10 minor. */
function cudaVersion(version: number): string {
  return version === 0 ? 'unknown' : `${Math.floor(version / 1000)}.${(version % 1000) / 10}`;
}

function text({ processor, gpus }: Devices): string {
  const { processors, levels, problem } = processor;
  const kernels = levels.length > 0 ? `native kernels ${levels.at(-1)!}` : `wasm (${problem})`;
  const lines = [`cpu     ${counted(processors, 'processor')}, ${kernels}`];
  for (const gpu of gpus.devices) {
    const { ordinal, name, memoryBytes, capability, multiprocessors, problem: why } = gpu;
    const figures = `${(memoryBytes / 2 ** 30).toFixed(1)} GiB, compute capability ${(capability / 10).toFixed(1)}`;
    const use = why === '' ? 'usable' : `not usable: ${why}`;
    lines.push(`cuda:${ordinal}  ${name}, ${figures}, ${counted(multiprocessors, 'multiprocessor')}: ${use}`);
  }
  if (gpus.devices.length === 0) lines.push(`cuda    none: ${gpus.problem}`);
  else {
    lines.push(
      `driver takes CUDA ${cudaVersion(gpus.driver)}, kernels built with ${cudaVersion(gpus.runtime)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function devicesAction({ json }: { readonly json?: boolean }): void {
  const devices = survey();
  process.stdout.write(json === true ? `${JSON.stringify(devices, null, 2)}\n` : text(devices));
}

export function registerDevices(program: Command): void {
  program
    .command('devices')
    .description('processors and GPUs that this machine can compute on, and why others cannot be used')
    .option('--json', 'print JSON')
    .action(async (flags: { readonly json?: boolean }) =>
      runCommand(async () => Promise.resolve(flags).then(devicesAction)),
    );
}
