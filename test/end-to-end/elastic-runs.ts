/** Runs with workers that are no children of the coordinator, against the weights of a clean run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder, type CliRun } from './cli-run.js';

const TIMEOUTS: readonly string[] = ['--suspect-after-ms', '400', '--heartbeat-timeout-ms', '1500'];

export interface Summary {
  readonly weightDigest: string;
  readonly steps: number;
}

interface ClusterLine {
  readonly kind: string;
  readonly worker: number;
  readonly text: string;
}

/** Who begins a run. A fleet is told by VITRAIL_FAULTS of each process, '' for one that nothing happens to. */
interface Fleet {
  readonly workers: readonly string[];
  readonly coordinator?: string;
  readonly flags?: readonly string[];
}

/** The runs of one test file: a folder, images, and a clean run to compare with, made before its tests. */
export class ElasticRuns {
  readonly #folder = temporaryFolder();
  readonly #flags: readonly string[];
  #data = '';
  #reference = '';

  /** @param flags of every run, behind those of a small one */
  constructor(flags: readonly string[] = []) {
    this.#flags = [...SMALL_RUN, ...TIMEOUTS, ...flags];
    before(async () => {
      this.#data = await smallDataset(this.#folder.path);
      const { stdout } = await cli('train', ...this.argumentsOf('clean', '--workers', '1'));
      this.#reference = (JSON.parse(stdout) as Summary).weightDigest;
      assert.match(this.#reference, /^[0-9a-f]{64}$/);
    });
    after(() => this.#folder.remove());
  }

  runDir(name: string): string {
    return join(this.#folder.path, name);
  }

  argumentsOf(name: string, ...flags: string[]): string[] {
    return ['--data', this.#data, '--out', this.runDir(name), '--json', ...this.#flags, ...flags];
  }

  clusterLines(name: string): ClusterLine[] {
    return logLines(this.runDir(name), 'cluster') as unknown as ClusterLine[];
  }

  pidOf(name: string, worker: number): number {
    const line = this.clusterLines(name).find((l) => l.kind === 'joined' && l.worker === worker);
    return Number(/pid (\d+)/.exec(line?.text ?? '')?.[1]);
  }

  assertSameWeights(stdout: string): void {
    assert.equal((JSON.parse(stdout) as Summary).weightDigest, this.#reference);
  }

  /** Ends with the clean run's weights, having committed every step exactly once. */
  assertSameRun(name: string, stdout: string): void {
    this.assertSameWeights(stdout);
    const steps = logLines(this.runDir(name), 'step').map((line) => line['step']);
    assert.deepEqual(steps, [...new Set(steps)], 'no step was committed twice');
  }

  /** A coordinator, and workers that are no children of it. */
  async startByHand(name: string, { workers: faults, coordinator: itsFaults = '', flags = [] }: Fleet) {
    const args = ['coordinator', ...this.argumentsOf(name, '--workers', String(faults.length), ...flags)];
    const coordinator = startCli(args, { VITRAIL_FAULTS: itsFaults });
    const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
    const workers = faults.map((ofWorker) => startWorker(address, ofWorker));
    return { coordinator, address, workers, args };
  }
}

/** @param faults VITRAIL_FAULTS of its process */
export function startWorker(address: string, faults = ''): CliRun {
  const args = ['worker', '--coordinator', address, '--log-level', 'debug'];
  return startCli(args, { VITRAIL_FAULTS: faults });
}
