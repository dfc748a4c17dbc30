/** Runs one simulated history: starts processes, lets faults hit them, and starts them again. */
import { reasonOf } from '../errors/errors.js';
import { happens, RESTART_MS, type Stage } from './happenings.js';
import type { History } from './history.js';
import { leftWeights } from './left-weights.js';
import { endProblem } from './process-end.js';
import { MOST_RESTARTS, Restarts } from './restarts.js';
import { newWorker, type RunningWorker } from './running-worker.js';
import { SentMessages } from './sent-messages.js';
import { simulatedCoordinator } from './simulated-coordinator.js';
import { SimulatedDisk } from './simulated-disk.js';
import { SimulatedNetwork } from './simulated-network.js';
import { SimulatedProcess } from './simulated-process.js';
import { SimulatedRandom, STREAM } from './simulated-random.js';
import { simulatedWorker } from './simulated-worker.js';
import { WireFabric } from './simulated-wire.js';
import { COORDINATOR_ADDRESS, RUN_FOLDER, subjectOf } from './subjects.js';
import { Verdicts, type CleanRun } from './verdicts.js';
import { VirtualTime } from './virtual-time.js';

/** Whatever happens, a run must end within this time after the last fault. */
const LONGEST_MS = 400_000;
/**
 * Every process must end within this time after the run, because workers do not wait longer for a
 * coordinator.
 */
const COORDINATOR_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 120_000;
const AFTER_END_MS = CONNECT_TIMEOUT_MS + 30_000;
export interface Outcome {
  readonly violations: readonly string[];
  readonly events: number;
  readonly virtualMs: number;
  readonly verdicts: Verdicts;
}

export class SimulatedRun {
  readonly #history: History;
  readonly #time = new VirtualTime();
  readonly #fabric: WireFabric;
  readonly #network: SimulatedNetwork;
  readonly #sent: SentMessages;
  readonly #restarts = new Restarts();
  readonly #disk: SimulatedDisk;
  readonly #verdicts: Verdicts;
  readonly #names: SimulatedRandom;
  readonly #paces: SimulatedRandom;
  readonly #processes = new Map<number, SimulatedProcess>();
  readonly #workers: RunningWorker[] = [];
  readonly #trace: ((text: string) => void) | null;
  #coordinator: SimulatedProcess | null = null;
  #stopAsked: string | null = null;
  #stopBackMs = RESTART_MS;
  #ended = false;
  #faultsAreOver = false;
  #steps = 0;

  constructor(history: History, clean: CleanRun | null, trace: ((text: string) => void) | null = null) {
    const { seed } = history;
    this.#history = history;
    this.#trace = trace;
    this.#fabric = new WireFabric(this.#time, new SimulatedRandom(seed, STREAM.network), history.latency);
    this.#disk = new SimulatedDisk(new SimulatedRandom(seed, STREAM.disk), this.#time.clockOf(null));
    this.#verdicts = new Verdicts(this.#disk, clean);
    this.#names = new SimulatedRandom(seed, STREAM.names);
    this.#paces = new SimulatedRandom(seed, STREAM.compute);
    const noise = new SimulatedRandom(seed, STREAM.network, 1);
    this.#sent = new SentMessages(this.#verdicts, {
      isCoordinator: (process) => process === this.#coordinator,
      workers: this.#workers,
      kill: (process, silent) => this.#kill(process, silent),
      startAgain: (afterMs) => this.#startAgain(afterMs),
      tell: (text) => this.#tell(text),
    });
    this.#network = new SimulatedNetwork(this.#time, this.#fabric, noise, this.#sent);
  }

  async run(): Promise<Outcome> {
    const violated = (error: unknown): void =>
      this.#verdicts.violated(`an unhandled error: ${reasonOf(error)}`);
    process.on('unhandledRejection', violated);
    try {
      this.#startCoordinator();
      for (let i = 0; i < this.#history.workers; i++) this.#startWorker(this.#paces.uniform() * 100);
      for (const { atMs, fault } of this.#history.faults) {
        this.#time.plan(null, atMs, () => {
          if (this.#faultsAreOver) return;
          this.#tell(`fault: ${JSON.stringify(fault)}`);
          happens(fault, this.#stage());
        });
      }
      const lastMs = Math.max(0, ...this.#history.faults.map(({ atMs }) => atMs));
      const broken = (): boolean => this.#verdicts.violations.length > 0;
      const over = (): boolean => this.#ended || broken();
      const inTime = await this.#time.run(over, lastMs + LONGEST_MS);
      if (!inTime)
        this.#verdicts.violated(`the run has not ended ${LONGEST_MS / 1000} s after the last fault`);
      if (!broken()) await this.#readEnd();
      if (!broken()) await this.#awaitSilence(broken);
    } finally {
      process.off('unhandledRejection', violated);
    }
    const { nowMs: virtualMs, events } = this.#time;
    return { violations: this.#verdicts.violations, events, virtualMs, verdicts: this.#verdicts };
  }

  #stage(): Stage {
    return {
      time: this.#time,
      fabric: this.#fabric,
      network: this.#network,
      disk: this.#disk,
      verdicts: this.#verdicts,
      coordinator: this.#coordinator,
      workers: this.#workers,
      kill: (process, silent) => this.#kill(process, silent),
      killAt: (fault) => this.#sent.killAt(fault),
      stop: (backAfterMs) => {
        this.#stopAsked = 'stopped by a person';
        this.#stopBackMs = backAfterMs;
      },
      startAgain: (afterMs) => this.#startAgain(afterMs),
      startWorker: (afterMs) => this.#startWorker(afterMs),
      keepOneWorker: () => this.#keepOneWorker(),
    };
  }

  /** Checks what a person finds in the run folder after the run. */
  async #readEnd(): Promise<void> {
    let read = false;
    // Nothing happens to the person who reads.
    this.#faultsAreOver = true;
    this.#disk.failNothing();
    const { layout } = subjectOf(this.#history, false);
    leftWeights(this.#disk.for('a person'), layout)
      .then((left) => this.#verdicts.ended(this.#steps, left))
      .catch((error: unknown) => this.#verdicts.violated(`the run folder cannot be read: ${reasonOf(error)}`))
      .finally(() => (read = true));
    await this.#time.run(() => read, Infinity);
  }

  /** Whether all processes have ended. */
  async #awaitSilence(broken: () => boolean): Promise<void> {
    const living = (): SimulatedProcess[] => [...this.#processes.values()].filter(({ alive }) => alive);
    const untilMs = this.#time.nowMs + AFTER_END_MS;
    // A process whose training thread hangs for ever can be ended only by a signal.
    for (const { process, hangsUntilMs } of this.#living())
      if (hangsUntilMs > untilMs) this.#kill(process, false);
    await this.#time.run(() => living().length === 0 || broken(), untilMs);
    if (!broken() && living().length > 0) {
      this.#verdicts.violated(
        `left behind: ${living()
          .map(({ name }) => name)
          .join(', ')}`,
      );
    }
  }

  #process(name: string): SimulatedProcess {
    const process = new SimulatedProcess(name, this.#processes.size + 1, this.#processes, this.#names);
    this.#processes.set(process.pid, process);
    return process;
  }

  #startCoordinator(): void {
    const process = this.#process('coordinator');
    const resume = this.#disk.has(`${RUN_FOLDER}/config.yaml`);
    this.#coordinator = process;
    this.#stopAsked = null;
    this.#tell(`coordinator ${process.pid} starts`);
    this.#verdicts.started();
    this.#restarts.began(this.#verdicts.commits.size);
    simulatedCoordinator({
      process,
      time: this.#time,
      disk: this.#disk,
      network: this.#network,
      verdicts: this.#verdicts,
      history: this.#history,
      resume,
      stopRequested: () => this.#stopAsked,
      tell: (text) => this.#tell(`coordinator ${process.pid}${text}`),
    }).then(
      ({ reason, steps }) => {
        // It was killed at its very end, so the person who started it does not learn how far the run has come.
        if (!process.alive) return;
        this.#tell(`coordinator ${process.pid} ends after ${steps} steps: ${reason}`);
        this.#exit(process);
        const stopped = this.#stopAsked !== null && reason === this.#stopAsked;
        if (stopped) this.#startAgain(this.#stopBackMs);
        else {
          this.#steps = steps;
          this.#ended = true;
        }
      },
      (error: unknown) => {
        if (!process.alive) return;
        this.#tell(`coordinator ${process.pid} fails: ${reasonOf(error)}`);
        this.#check('the coordinator', process, error);
        this.#exit(process);
        this.#startAgain(RESTART_MS);
      },
    );
  }

  #startAgain(afterMs: number): void {
    const who = this.#restarts.next(this.#verdicts.commits.size);
    if (who === 'nobody') {
      this.#verdicts.violated(`the run was started ${MOST_RESTARTS} times in vain`);
      return;
    }
    if (who === 'all') {
      for (const worker of this.#living()) this.#kill(worker.process, false);
      for (let i = 0; i < this.#history.workers; i++) this.#startWorker(afterMs + RESTART_MS);
    }
    this.#time.plan(null, afterMs, () => {
      if (this.#coordinator?.alive !== true) this.#startCoordinator();
    });
  }

  #startWorker(afterMs: number): void {
    this.#time.plan(null, afterMs, () => {
      if (this.#ended) return;
      const process = this.#process(`worker-${this.#workers.length}`);
      const worker = newWorker(process);
      this.#workers.push(worker);
      this.#tell(`${process.name} (pid ${process.pid}) starts`);
      const usualMs = this.#paces.between(1, 12);
      simulatedWorker({
        process,
        time: this.#time,
        network: this.#network.of(process),
        subject: subjectOf(this.#history, false),
        coordinator: COORDINATOR_ADDRESS,
        pace: () => Math.max(worker.hangsUntilMs - this.#time.nowMs, usualMs * this.#paces.between(0.8, 1.2)),
        leave: worker.leave.signal,
        onCompute: (step, microBatch, exponents) => {
          const place = `place ${process.places} of ${process.name}`;
          this.#verdicts.plans.computed(place, step, microBatch, exponents);
        },
        damaged: () => {
          const { damage } = worker;
          worker.damage = false;
          if (damage) this.#tell(`a weight of ${process.name} changes`);
          return damage;
        },
        coordinatorTimeoutMs: COORDINATOR_TIMEOUT_MS,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
      }).then(
        ({ reason }) => {
          if (!process.alive) return;
          this.#tell(`${process.name} ends: ${reason}`);
          this.#exit(process);
          // The worker left on request, or was told to stop by a coordinator that is started again.
          this.#keepOneWorker();
        },
        (error: unknown) => {
          if (!process.alive) return;
          this.#tell(`${process.name} fails: ${reasonOf(error)}`);
          this.#check('a worker', process, error);
          this.#exit(process);
          this.#startWorker(RESTART_MS);
        },
      );
    });
  }

  /** If all workers have left, a person starts another, so that the run goes on. */
  #keepOneWorker(): void {
    if (!this.#ended && this.#living().length < Math.max(1, this.#history.minWorkers))
      this.#startWorker(1000);
  }

  #living(): RunningWorker[] {
    return this.#workers.filter(({ process }) => process.alive);
  }

  /** The normal end of a process. */
  #exit(process: SimulatedProcess): void {
    this.#disk.freeze(process);
    process.kill();
    this.#fabric.died(process, false);
  }

  #kill(process: SimulatedProcess, silent: boolean): void {
    if (!process.alive) return;
    this.#tell(`${process.name} ${process.pid} is killed${silent ? ' with its machine' : ''}`);
    process.kill();
    this.#fabric.died(process, silent);
    if (silent && process === this.#coordinator) this.#disk.crash();
    else this.#disk.freeze(process);
  }

  #check(who: 'the coordinator' | 'a worker', process: SimulatedProcess, error: unknown): void {
    const problem = endProblem(who, error);
    if (problem !== null) this.#verdicts.violated(`${process.name} ends with ${problem}`);
  }

  #tell(text: string): void {
    this.#trace?.(`${this.#time.nowMs.toFixed(3).padStart(12)} ${text}`);
  }
}
