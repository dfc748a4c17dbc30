/** Applies a fault to the processes, connections and disk of a simulated run. */
import type { Fault, Target } from './history.js';
import type { RunningWorker } from './running-worker.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { SimulatedNetwork } from './simulated-network.js';
import type { SimulatedProcess } from './simulated-process.js';
import type { WireFabric } from './simulated-wire.js';
import type { Verdicts } from './verdicts.js';
import type { VirtualTime } from './virtual-time.js';

/** A process that died is started again after this time, unless the fault says otherwise. */
export const RESTART_MS = 500;

/** The parts of a run that a fault can affect. */
export interface Stage {
  readonly time: VirtualTime;
  readonly fabric: WireFabric;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  readonly verdicts: Verdicts;
  readonly coordinator: SimulatedProcess | null;
  /** All processes that were ever started. */
  readonly workers: readonly RunningWorker[];
  kill(process: SimulatedProcess, silent: boolean): void;
  killAt(fault: Extract<Fault, { kind: 'kill-at' }>): void;
  /** A person stops the run, and starts it again later. */
  stop(backAfterMs: number): void;
  /** Starts a coordinator. */
  startAgain(afterMs: number): void;
  startWorker(afterMs: number): void;
  keepOneWorker(): void;
}

function workerAt({ workers }: Stage, target: number): RunningWorker | null {
  return workers[target % Math.max(1, workers.length)] ?? null;
}

function processAt(stage: Stage, who: Target): SimulatedProcess | null {
  return who === 'coordinator' ? stage.coordinator : (workerAt(stage, who)?.process ?? null);
}

export function happens(fault: Fault, stage: Stage): void {
  const { time, fabric, network, disk, verdicts } = stage;
  switch (fault.kind) {
    case 'kill': {
      const process = processAt(stage, fault.target);
      if (process?.alive !== true) return;
      stage.kill(process, fault.silent);
      if (process === stage.coordinator) stage.startAgain(fault.backAfterMs ?? RESTART_MS);
      else if (fault.backAfterMs !== null) stage.startWorker(fault.backAfterMs);
      else stage.keepOneWorker();
      return;
    }
    case 'kill-at':
      stage.killAt(fault);
      return;
    case 'kill-in': {
      const process = processAt(stage, fault.target);
      if (process?.alive !== true) return;
      process.dieAt(fault.nth, () => {
        stage.kill(process, fault.silent);
        if (fault.target === 'coordinator') stage.startAgain(fault.backAfterMs);
        else stage.startWorker(fault.backAfterMs);
      });
      return;
    }
    case 'suspend': {
      const process = processAt(stage, fault.target);
      if (process === null) return;
      process.suspendedUntilMs = time.nowMs + fault.forMs;
      disk.suspend(process);
      time.plan(null, fault.forMs, () => disk.resume(process));
      return;
    }
    case 'hang': {
      const worker = workerAt(stage, fault.target);
      if (worker !== null) worker.hangsUntilMs = Math.max(worker.hangsUntilMs, time.nowMs + fault.forMs);
      return;
    }
    case 'cut':
    case 'part': {
      const [a, b] = [processAt(stage, fault.a), processAt(stage, fault.b)];
      if (a === null || b === null || a === b) return;
      if (fault.kind === 'cut') fabric.cut(a, b);
      else fabric.part(a, b, fault.forMs);
      return;
    }
    case 'join':
      stage.startWorker(0);
      return;
    case 'leave':
      workerAt(stage, fault.target)?.leave.abort('a person asked for it');
      return;
    case 'stop':
      stage.stop(fault.backAfterMs);
      return;
    case 'disk-full':
      disk.room = fault.room;
      time.plan(null, fault.forMs, () => (disk.room = Infinity));
      return;
    case 'disk-slow':
      disk.slowMs = fault.byMs;
      time.plan(null, fault.forMs, () => (disk.slowMs = 0));
      return;
    case 'disk-fails':
      disk.failNext(fault.operation, 'EIO');
      return;
    case 'noise':
      network.corruptNext();
      return;
    case 'spoil':
      network.spoilNext(fault.what);
      return;
    case 'clock-jump': {
      const process = processAt(stage, fault.target);
      if (process !== null) process.dateOffMs += fault.byMs;
      return;
    }
    case 'damage': {
      const worker = workerAt(stage, fault.target);
      if (worker === null) return;
      worker.damage = true;
      verdicts.damaged();
      return;
    }
    case 'lie': {
      const worker = workerAt(stage, fault.target);
      if (worker !== null) worker.lie = true;
    }
  }
}
