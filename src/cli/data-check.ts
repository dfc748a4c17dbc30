/** `vitrail data check`: decodes every image of a data set and says what is broken. */
import Table from 'cli-table3';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import pc from 'picocolors';
import {
  checkDataset,
  writeExcludeList,
  type DataCheck,
  type Spread,
  type SplitCheck,
} from '../worker/data/data-check.js';
import { runCommand } from './run-command.js';
import { counted } from '../shared/wording.js';

interface DataCheckFlags {
  readonly exclude?: string;
  readonly writeExclude?: string;
  readonly json?: boolean;
}

const MOST_BROKEN_SHOWN = 20;

function spread(name: string, values: Spread | null): string {
  return values === null ? '' : `${name} ${values.min} to ${values.max}, median ${values.median}`;
}

function splitLine(name: string, split: SplitCheck): string {
  const sizes = [spread('width', split.width), spread('height', split.height), spread('bytes', split.bytes)];
  return `${name}: ${counted(split.images, 'image')}; ${sizes.filter((text) => text !== '').join('; ')}\n`;
}

function report({ classes, train, test, broken }: DataCheck): string {
  const table = new Table({ head: ['class', 'train', 'test'], style: { head: [], border: [] } });
  for (const name of classes) table.push([name, train.perClass[name] ?? 0, test.perClass[name] ?? 0]);
  const shown = broken
    .slice(0, MOST_BROKEN_SHOWN)
    .map(({ path, reason }) => `  ${pc.red(path)}  ${reason}\n`);
  const more =
    broken.length > MOST_BROKEN_SHOWN ? `  ... and ${broken.length - MOST_BROKEN_SHOWN} more\n` : '';
  const verdict =
    broken.length === 0
      ? pc.green('every image decodes\n')
      : `${broken.length} broken\n${shown.join('')}${more}`;
  return `${table.toString()}\n${splitLine('train', train)}${splitLine('test', test)}${verdict}`;
}

async function dataCheckAction(dir: string, flags: DataCheckFlags): Promise<void> {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: 'decoding [{bar}] {value}/{total}', clearOnComplete: true })
    : null;
  const result = await checkDataset(dir, {
    exclude: flags.exclude ?? null,
    onProgress: (done, total) => {
      if (done === 1) bar?.start(total, 1);
      else bar?.update(done);
    },
  });
  bar?.stop();
  process.stdout.write(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : report(result));
  if (flags.writeExclude !== undefined) await writeExcludeList(flags.writeExclude, result.broken);
  else if (result.broken.length > 0) process.exitCode = 1;
}

export function registerData(program: Command): void {
  const data = program.command('data').description('look after data sets');
  data
    .command('check')
    .description(
      'decode every image, count per class, list what is broken (then the exit code is 1, unless --write-exclude is given)',
    )
    .argument('<folder>', 'folder with train/ and test/ or val/')
    .option('--exclude <file>', 'file that lists images to leave out')
    .option('--write-exclude <file>', 'write the broken images there, for --exclude')
    .option('--json', 'print JSON')
    .action(async (dir: string, flags: DataCheckFlags) =>
      runCommand(async () => dataCheckAction(dir, flags)),
    );
}
