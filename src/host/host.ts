/**
 * The one seam to the outside: everything that a run needs from its machine, or from the simulation of one.
 */
import { systemClock, type Clock } from './clock.js';
import { startHttpServer, type HttpServer, type Routes } from './http-server.js';
import { nodeDisk, type Disk } from './disk.js';
import type { CoordinatorNetwork, WorkerNetwork } from './network.js';
import { thisProcess, type ProcessIdentity } from './process.js';
import { zeromqNetwork } from './zeromq/zeromq-network.js';

/** The host of a coordinator. */
export interface Host {
  readonly clock: Clock;
  readonly network: CoordinatorNetwork;
  readonly disk: Disk;
  /** Serves pages at HOST:PORT. @throws PORT_IN_USE, ADDRESS_INVALID */
  readonly servePages: (listen: string, routes: Routes) => Promise<HttpServer>;
  readonly process: ProcessIdentity;
}

/** The host of a worker's communication thread. */
export interface WorkerHost {
  readonly clock: Clock;
  readonly network: WorkerNetwork;
}

/** This machine. */
export const systemHost: Host & WorkerHost = {
  clock: systemClock,
  network: zeromqNetwork,
  disk: nodeDisk,
  servePages: startHttpServer,
  process: thisProcess,
};
