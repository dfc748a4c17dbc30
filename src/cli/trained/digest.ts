/** `vitrail digest`: the SHA-256 over all weights of a checkpoint. */
import type { Command } from 'commander';
import { digest } from '../../api/digest.js';
import { runCommand } from '../run-command.js';

async function digestAction(path: string, json: boolean): Promise<void> {
  const result = await digest(path, { onNote: (text) => void process.stderr.write(`${text}\n`) });
  const { sha256, checkpoint } = result;
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${sha256}  ${checkpoint}\n`);
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
