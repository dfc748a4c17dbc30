/** `vitrail digest`: the SHA-256 over all weights of a checkpoint. */
import type { Command } from 'commander';
import { nodeDisk } from '../../host/disk.js';
import { openRunCheckpoint } from '../../run/folder/run-checkpoint.js';
import { newestVerified, type OnRejected } from '../../run/checkpoint/checkpoint-store.js';
import { weightDigest } from '../../run/checkpoint/weight-digest.js';
import { runCommand } from '../run-command.js';

async function digestAction(path: string, json: boolean): Promise<void> {
  const rejected: OnRejected = (damaged, error) => {
    process.stderr.write(`${damaged} does not verify: ${error.problem}\n`);
  };
  // The newest checkpoint of a run and not the best, because two runs are compared by their last weights.
  const newest = await newestVerified(nodeDisk, path, rejected);
  const { checkpoint, spec, stored, layout } = await openRunCheckpoint(
    nodeDisk,
    newest?.path ?? path,
    rejected,
  );
  const sha256 = weightDigest(checkpoint.weights);
  const result = {
    checkpoint: checkpoint.path,
    model: spec.name,
    step: stored.run.step,
    parameters: layout.length,
    sha256,
  };
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${sha256}  ${checkpoint.path}\n`);
}

export function registerDigest(program: Command): void {
  program
    .command('digest')
    .description('SHA-256 over all weights of a checkpoint, as docs/architecture.md lays them out')
    .argument('<checkpoint>', 'checkpoint folder, or a run folder (its newest checkpoint)')
    .option('--json', 'print JSON')
    .action(async (path: string, flags: { readonly json?: boolean }) =>
      runCommand(async () => digestAction(path, flags.json === true)),
    );
}
