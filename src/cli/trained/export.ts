/** `vitrail export`: a trained model as a folder or file that other libraries open. */
import { Option, type Command } from 'commander';
import { exportModel, type ExportFormat } from '../../api/export-model.js';
import { counted } from '../../errors/wording.js';
import type { RunConfig } from '../../run/config/schema.js';
import { runCommand } from '../run-command.js';
import { backendOption } from '../training/backend-option.js';

interface ExportFlags {
  readonly to: ExportFormat;
  readonly precision?: 'fp32' | 'fp16';
  readonly out?: string;
  readonly data?: string;
  readonly backend: RunConfig['backend'];
  readonly json?: boolean;
}

async function exportAction(path: string, flags: ExportFlags): Promise<void> {
  const { to, precision, out, data, backend } = flags;
  const onNote = (text: string): void => void process.stderr.write(`${text}\n`);
  const result = await exportModel(path, { to, precision, out, data, backend, onNote });
  const text = `${result.path}\nstep ${result.step}, compared on ${counted(result.images, 'image')}: logits differ by ${result.difference}\n`;
  process.stdout.write(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : text);
}

export function registerExport(program: Command): void {
  program
    .command('export')
    .description('write a trained model for Hugging Face, timm, torchvision or ONNX')
    .argument('<checkpoint>', 'checkpoint folder, or a run folder (its best checkpoint)')
    .addOption(
      new Option('--to <format>', 'what is to open it')
        .choices(['hf', 'timm', 'torchvision', 'onnx'])
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--precision <precision>', 'of an ONNX file (default: fp32)').choices(['fp32', 'fp16']),
    )
    .option('--out <path>', "what to make (default: the run's path with the format behind)")
    .option('--data <folder>', "images to compare logits on (default: the run's data set)")
    .addOption(backendOption())
    .option('--json', 'print JSON')
    .action(async (path: string, flags: ExportFlags) => runCommand(async () => exportAction(path, flags)));
}
