/** `vitrail worker`: one worker process. */
import { existsSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { coded } from '../shared/errors.js';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../shared/log/logger.js';
import { runWorker } from '../worker/worker.js';
import { runCommand } from './run-command.js';
import { endBy } from './stop-signals.js';
import { wholeNumber } from './whole-number.js';

interface WorkerFlags {
  readonly coordinator: string;
  readonly data?: string;
  readonly device: string;
  readonly threads: number;
  readonly metricsListen: string;
  readonly coordinatorTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly logLevel: LogLevel;
  readonly supervised?: boolean;
}

/**
 * The first signal asks to leave: the part under way is finished and handed over. The second ends at once.
 * A terminal sends Ctrl-C to the whole group; in a supervised worker the coordinator decides what it means.
 */
function leaveOnSignal(supervised: boolean, log: Logger): AbortSignal {
  const controller = new AbortController();
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (signal === 'SIGINT' && supervised) return;
    const code = signal === 'SIGINT' ? 130 : 143;
    if (controller.signal.aborted) endBy(signal);
    process.exitCode = code;
    log.info({ signal }, 'leaving after this step (again to end at once)');
    controller.abort(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

async function workerAction(flags: WorkerFlags): Promise<void> {
  const tail: { send: ((line: string) => void) | null } = { send: null };
  const log = createLogger('worker', flags.logLevel, (line) => tail.send?.(line));
  const leave = leaveOnSignal(flags.supervised === true, log);
  if (flags.data !== undefined && !existsSync(flags.data))
    throw coded('DATA_NOT_A_DIRECTORY', { path: flags.data });
  const stop = await runWorker({
    coordinator: flags.coordinator,
    data: flags.data ?? null,
    device: flags.device,
    threads: flags.threads,
    metricsListen: flags.metricsListen === 'none' ? null : flags.metricsListen,
    supervised: flags.supervised === true,
    coordinatorTimeoutMs: flags.coordinatorTimeoutMs,
    connectTimeoutMs: flags.connectTimeoutMs,
    leave,
    onConnected: (send) => (tail.send = send),
    log,
  });
  log.info({ reason: stop.reason, clean: stop.clean }, 'stopped');
  if (!stop.clean) process.exitCode = 1;
}

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('compute for a coordinator, here or on another machine')
    .requiredOption('--coordinator <address>', 'tcp://HOST:PORT of the coordinator')
    .option('--data <folder>', "where the images lie on this machine (default: the coordinator's path)")
    .option('--device <device>', 'auto, cpu, or cuda:N (see `vitrail devices`)', 'auto')
    .option('--threads <n>', 'of the native kernels, 0 for one a processor', wholeNumber(0), 0)
    .option(
      '--metrics-listen <host:port>',
      'address of /metrics, port 0 for a free one, "none" for none',
      '127.0.0.1:0',
    )
    .option(
      '--coordinator-timeout-ms <ms>',
      'how long to wait for a coordinator that has died to be started again',
      wholeNumber(100),
      600_000,
    )
    .option('--connect-timeout-ms <ms>', "wait for the coordinator's first word", wholeNumber(100), 60_000)
    .addOption(new Option('--log-level <level>', 'what goes to stderr').choices(LOG_LEVELS).default('info'))
    .option('--supervised', 'end together with the parent process')
    .action(async (flags: WorkerFlags) => runCommand(async () => workerAction(flags)));
}
