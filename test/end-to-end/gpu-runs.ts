/**
 * Runs on a GPU's memory: on the emulator where it is built (native/build/vitrail-emulated.node), or on the addon that
 * VITRAIL_CUDA names.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before } from 'node:test';
import { drawDataset } from '../../src/demo/drawn-dataset.js';
import { cli, logLines, temporaryFolder } from './cli-run.js';

const EMULATED = resolve('native/build/vitrail-emulated.node');
const RUN: readonly string[] = [
  '--model vit-micro/16 --image-size 32 --dropout 0.1 --transform paper --seed 7 --batch 16 --micro-batch 4',
  '--warmup-steps 2 --lr 0.001 --backend native',
].flatMap((flags) => flags.split(' '));

/** The shape of such a run, as `vitrail tune` and `vitrail fit` are told it. */
export const SHAPE: readonly string[] = '--model vit-micro/16 --image-size 32 --precision fp32'.split(' ');

interface Trained {
  readonly digest: string;
  readonly losses: readonly number[];
}

/** The runs of one test file. */
export class GpuRuns {
  /** The addon that the tests are given; undefined where they take the emulator. */
  readonly given = process.env['VITRAIL_CUDA'];
  readonly addon = this.given ?? EMULATED;
  readonly skip = this.given === undefined && !existsSync(EMULATED) ? 'the emulator is not built' : false;
  readonly folder = temporaryFolder();
  data = '';

  constructor() {
    before(async () => {
      process.env['VITRAIL_CUDA'] = this.addon;
      this.data = join(this.folder.path, 'data');
      await drawDataset(this.data, { seed: 1, trainPerClass: 4, testPerClass: 1 });
    });
    after(() => this.folder.remove());
  }

  argumentsOf(name: string, ...flags: string[]): string[] {
    return ['--data', this.data, '--out', join(this.folder.path, name), '--json', ...RUN, ...flags];
  }

  /** Of a run that has ended well with this output. */
  trainedAs(name: string, stdout: string): Trained {
    const losses = logLines(join(this.folder.path, name), 'step').map((line) => line['loss'] as number);
    return { digest: (JSON.parse(stdout) as { weightDigest: string }).weightDigest, losses };
  }

  async trained(name: string, ...flags: string[]): Promise<Trained> {
    const { code, stdout, stderr } = await cli('train', ...this.argumentsOf(name, ...flags));
    assert.equal(code, 0, stderr);
    return this.trainedAs(name, stdout);
  }
}

export function assertClose(losses: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(losses.length, expected.length);
  for (const [step, loss] of losses.entries()) {
    const other = expected[step]!;
    assert.ok(Math.abs(loss - other) < tolerance * other, `step ${step}: ${loss} and ${other}`);
  }
}
