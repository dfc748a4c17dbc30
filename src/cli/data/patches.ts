/** `vitrail patches`: what the model sees of an image. */
import type { Command } from 'commander';
import { writePatchPicture } from '../../worker/data/patch-picture.js';
import { runCommand } from '../run-command.js';
import { wholeNumber } from '../whole-number.js';
import { counted } from '../../errors/wording.js';

interface PatchesFlags {
  readonly output: string;
  readonly imageSize: number;
  readonly patch: number;
  readonly json?: boolean;
}

async function patchesAction(image: string, { output, imageSize, patch, json }: PatchesFlags): Promise<void> {
  const count = await writePatchPicture(image, output, { imageSize, patch });
  const text = `${output}: ${counted(count, 'patch')} of ${patch} x ${patch} pixels`;
  process.stdout.write(
    `${json === true ? JSON.stringify({ output, patches: count, patch, imageSize }) : text}\n`,
  );
}

export function registerPatches(program: Command): void {
  program
    .command('patches')
    .description('draw an image cut into its patches')
    .argument('<image>', 'image file')
    .requiredOption('-o, --output <file>', 'PNG to write')
    .option('--image-size <pixels>', 'side of the square input', wholeNumber(1, 4096), 224)
    .option('--patch <pixels>', 'side of a patch', wholeNumber(1, 4096), 16)
    .option('--json', 'print JSON')
    .action(async (image: string, flags: PatchesFlags) =>
      runCommand(async () => patchesAction(image, flags)),
    );
}
