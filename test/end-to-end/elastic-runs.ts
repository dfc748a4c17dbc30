/** Runs with workers that are no children of the coordinator, against the weights of a clean run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { cli, logLines, SMALL_RUN, smallDataset, startCli, temporaryFolder, type CliRun } from './cli-run.js';

const FLAGS = [...SMALL_RUN, '--suspect-after-ms', '400', '--heartbeat-timeout-ms', '1500'];

export interface Summary {
  readonly weightDigest: string;
  readonly steps: number;
}

interface ClusterLine {
  readonly kind: string;
  readonly worker: number;
  readonly text: string;
}

/** The runs of one test file: a folder, images, and a clean run to compare with, made before its tests. */
export class ElasticRuns {
  readonly #folder = temporaryFolder();
  #data = '';
  #reference = '';

  constructor() {
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
    return ['--data', this.#data, '--out', this.runDir(name), '--json', ...FLAGS, ...flags];
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

  /** A coordinator, and `count` workers that are no children of it. */
  async startByHand(name: string, count: number, ...flags: string[]) {
    const args = ['coordinator', ...this.argumentsOf(name, '--workers', String(count), ...flags)];
    const coordinator = startCli(args);
    const address = (await coordinator.seen(/tcp:\/\/127\.0\.0\.1:\d+/)).trim();
    const workers = Array.from({ length: count }, () => startWorker(address));
    return { coordinator, address, workers, args };
  }
}

export function startWorker(address: string): CliRun {
  return startCli(['worker', '--coordinator', address, '--log-level', 'debug']);
}
