/** A coordinator process of a simulation: the real `runOn` on simulated sockets and a simulated disk. */
import { runOn } from '../coordinator/coordinator.js';
import type { Host } from '../host/host.js';
import { reasonToRollBack, type History } from './history.js';
import type { SimulatedDisk } from './simulated-disk.js';
import type { SimulatedNetwork } from './simulated-network.js';
import type { SimulatedProcess } from './simulated-process.js';
import { subjectOf } from './subjects.js';
import type { Verdicts } from './verdicts.js';
import type { VirtualTime } from './virtual-time.js';

export interface SimulatedCoordinatorOptions {
  readonly process: SimulatedProcess;
  readonly time: VirtualTime;
  readonly disk: SimulatedDisk;
  readonly network: SimulatedNetwork;
  readonly verdicts: Verdicts;
  readonly history: History;
  /** Whether the run was begun before. */
  readonly resume: boolean;
  readonly stopRequested: () => string | null;
  readonly tell: (text: string) => void;
}

/** @returns why the run has ended, and after how many steps. @throws the error that a coordinator ends with */
export async function simulatedCoordinator(options: SimulatedCoordinatorOptions) {
  const { process, time, disk, network, verdicts, history, resume, stopRequested, tell } = options;
  const host: Host = {
    clock: time.clockOf(process),
    disk: disk.for(process, () => process.operates()),
    network: network.of(process),
    process,
    servePages: async (address) => Promise.resolve({ address, close: async () => Promise.resolve() }),
  };
  return runOn(host, subjectOf(history, resume), {
    onListening: () => undefined,
    warn: (text) => tell(` warns: ${text}`),
    stopRequested,
    ownWorkers: false,
    observer: {
      onCheckpoint: ({ step, weightDigest }) => verdicts.checkpoint(step, weightDigest),
      onEpoch: ({ step, train, evaluated }) => {
        const figures = evaluated && [evaluated.lossSum, evaluated.correct, evaluated.samples];
        verdicts.evaluated(step, JSON.stringify([figures, train.lossSum, train.correct, train.samples]));
      },
      onClusterEvent: ({ kind, text }) => {
        if (kind === 'back') verdicts.wentBack(reasonToRollBack(history));
        tell(`: ${kind}: ${text}`);
      },
    },
  });
}
