/** Runs whose workers are in network namespaces, against the weights of a clean run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { cli, SMALL_RUN, smallDataset, startCli, temporaryFolder, type CliRun } from './cli-run.js';
import { missing, NETWORK } from './namespaces.js';

const TIMEOUTS: readonly string[] = [
  '--suspect-after-ms 500 --heartbeat-timeout-ms 2000 --ring-timeout-ms 3000',
].flatMap((flags) => flags.split(' '));

/** The runs of one test file: nothing is made where there are no namespaces. */
export class MachineRuns {
  /** Why there are none. */
  readonly skip = missing();
  readonly #folder = temporaryFolder();
  readonly #flags: readonly string[];
  #data = '';
  #reference = '';

  /** @param flags of every run, behind those of a small one */
  constructor(flags: readonly string[] = []) {
    this.#flags = [...SMALL_RUN, ...TIMEOUTS, ...flags];
    before(async () => {
      if (this.skip !== false) return;
      this.#data = await smallDataset(this.#folder.path);
      const { stdout } = await cli('train', ...this.#argumentsOf('clean', '--workers', '1'));
      this.#reference = (JSON.parse(stdout) as { weightDigest: string }).weightDigest;
    });
    after(() => this.#folder.remove());
  }

  runDir(name: string): string {
    return join(this.#folder.path, name);
  }

  #argumentsOf(name: string, ...flags: string[]): string[] {
    return ['--data', this.#data, '--out', this.runDir(name), '--json', ...this.#flags, ...flags];
  }

  /**
   * A coordinator on this machine, and a worker in every one of `spaces`.
   * @param faults VITRAIL_FAULTS of the last worker
   */
  async start(name: string, spaces: readonly string[], { flags = [], faults = '' }: Start = {}) {
    const listen = ['--listen', `tcp://${NETWORK}.1:0`, '--workers', String(spaces.length)];
    const coordinator = startCli(['coordinator', ...this.#argumentsOf(name, ...listen, ...flags)]);
    const address = (await coordinator.seen(/tcp:\/\/10\.[\d.]+:\d+/)).trim();
    const workers = spaces.map((space, i) => {
      const env = { VITRAIL_FAULTS: i === spaces.length - 1 ? faults : '' };
      return startCli(['worker', '--coordinator', address], env, ['ip', 'netns', 'exec', space]);
    });
    return { coordinator, workers };
  }

  async assertSameWeights(coordinator: CliRun, workers: readonly CliRun[]): Promise<void> {
    const { code, stdout, stderr } = await coordinator.done;
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { weightDigest: string }).weightDigest, this.#reference);
    for (const worker of workers) {
      const { code: workerCode, stderr: log } = await worker.done;
      assert.equal(workerCode, 0, log);
    }
  }
}

interface Start {
  readonly flags?: readonly string[];
  readonly faults?: string;
}
