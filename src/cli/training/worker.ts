/** `vitrail worker`: one worker process. */
import { Option, type Command } from 'commander';
import { runWorker, type Ports } from '../../api/run-worker.js';
import { createLogger, LOG_LEVELS, stderrLines, type Logger, type LogLevel } from '../../host/logger.js';
import { portRange } from './port-range.js';
import { runCommand } from '../run-command.js';
import { exitCodeOf, listenForStop } from '../stop-signals.js';
import { wholeNumber } from '../whole-number.js';

interface WorkerFlags {
  readonly coordinator: string;
  readonly data?: string;
  readonly device: string;
  readonly threads: number;
  readonly place?: number;
  readonly metricsListen: string;
  readonly advertise?: string;
  readonly ringPorts?: Ports;
  readonly coordinatorTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly logLevel: LogLevel;
  readonly supervised?: boolean;
}

/** The first signal asks the worker to leave, after it has finished its part of the step. */
function leaveOnSignal(supervised: boolean, log: Logger): AbortSignal {
  const controller = new AbortController();
  listenForStop({
    supervised,
    onStop: (signal) => {
      process.exitCode = exitCodeOf(signal);
      log.info({ signal }, 'leaving after this step (again to end at once)');
      controller.abort(signal);
    },
    onEnd: () => undefined,
  });
  return controller.signal;
}

async function workerAction({ supervised = false, ...flags }: WorkerFlags): Promise<void> {
  const onLog = stderrLines();
  const signal = leaveOnSignal(supervised, createLogger('worker', flags.logLevel, onLog));
  const { clean } = await runWorker(Object.assign(flags, { supervised, onLog }), { signal });
  if (!clean) process.exitCode = 1;
}

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('compute for a coordinator, here or on another machine')
    .requiredOption('--coordinator <address>', 'tcp://HOST:PORT of the coordinator')
    .option(
      '--data <folder>',
      "where the images lie on this machine (default: the coordinator's folder, by its whole path)",
    )
    .option('--device <device>', 'auto, cpu, or cuda:N (see `vitrail devices`)', 'auto')
    .option('--threads <n>', 'threads of the native kernels, 0 for one per processor', wholeNumber(0), 0)
    .option(
      '--place <n>',
      'number of this worker in metrics, from 0, if it is free (default: the lowest free one)',
      wholeNumber(0, 100_000),
    )
    .option(
      '--metrics-listen <host:port>',
      'address of /metrics, with port 0 for any free one; "auto" takes a free port of the address that faces the coordinator, "none" serves no metrics',
      'auto',
    )
    .option(
      '--advertise <host>',
      'where others reach this worker (default: the address from which it reaches the coordinator)',
    )
    .option(
      '--ring-ports <from-to>',
      'range of ports for connections from other workers, two for each worker of this machine (default: any free ones)',
      portRange,
    )
    .option(
      '--coordinator-timeout-ms <ms>',
      'how long to wait for a coordinator that has died to be started again',
      wholeNumber(100),
      600_000,
    )
    .option(
      '--connect-timeout-ms <ms>',
      "longest wait for the coordinator's first answer",
      wholeNumber(100),
      60_000,
    )
    .addOption(new Option('--log-level <level>', 'what goes to stderr').choices(LOG_LEVELS).default('info'))
    .option('--supervised', 'end together with the parent process')
    .action(async (flags: WorkerFlags) => runCommand(async () => workerAction(flags)));
}
