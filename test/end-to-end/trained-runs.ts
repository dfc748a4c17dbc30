/** Whole runs of `vitrail train` in one folder, small and random in every way a run can be. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { cli, SMALL_RUN, smallDataset, temporaryFolder } from './cli-run.js';

export interface Summary {
  readonly weightDigest: string;
  readonly steps: number;
  readonly reason: string;
  readonly completed: boolean;
}

/** The runs of one test file. */
export class TrainedRuns {
  readonly folder = temporaryFolder();
  data = '';

  /** @param prepare what is to be done before the tests, with the images there */
  constructor(prepare?: () => Promise<void>) {
    before(async () => {
      this.data = await smallDataset(this.folder.path);
      await prepare?.();
    });
    after(() => this.folder.remove());
  }

  runDir(name: string): string {
    return join(this.folder.path, name);
  }

  argumentsOf(name: string, ...flags: string[]): string[] {
    return ['--data', this.data, '--out', this.runDir(name), '--json', ...SMALL_RUN, ...flags];
  }

  async trained(name: string, ...flags: string[]): Promise<Summary> {
    return summaryOf(...this.argumentsOf(name, ...flags));
  }
}

/** Of a run that has to end well. */
export async function summaryOf(...args: string[]): Promise<Summary> {
  const { code, stdout, stderr } = await cli('train', ...args);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Summary;
}
