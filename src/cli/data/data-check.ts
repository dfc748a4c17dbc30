/** `vitrail data check`: decodes every image of a data set and says what is broken. */
import Table from 'cli-table3';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import pc from 'picocolors';
import { findingText } from '../../run/dataset/findings.js';
import { pathText } from '../../run/dataset/path-text.js';
import {
  checkData,
  writeExclusion,
  type DataCheck,
  type Spread,
  type SplitCheck,
} from '../../api/check-data.js';
import { runCommand } from '../run-command.js';
import { counted } from '../../errors/wording.js';

interface DataCheckFlags {
  readonly exclude?: string;
  readonly writeExclude?: string;
  readonly json?: boolean;
}

const MOST_BROKEN_SHOWN = 20;

function spread(name: string, values: Spread | null): string {
  return values === null ? '' : `${name} ${values.min} to ${values.max}, median ${values.median}`;
}

function splitLine({ name, images, width, height, bytes }: SplitCheck): string {
  const sizes = [spread('width', width), spread('height', height), spread('bytes', bytes)];
  return `${name}: ${counted(images, 'image')}; ${sizes.filter((text) => text !== '').join('; ')}\n`;
}

function report({ classes, splits, broken, findings, problems }: DataCheck): string {
  const head = ['class', ...splits.map(({ name }) => name)];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const name of classes) table.push([pathText(name), ...splits.map((of) => of.perClass[name] ?? 0)]);
  const strange = findings.map((finding) => `${pc.yellow('note')} ${findingText(finding)}\n`);
  const shown = broken
    .slice(0, MOST_BROKEN_SHOWN)
    .map(({ path, reason }) => `  ${pc.red(pathText(path))}  ${reason}\n`);
  const left = broken.length - MOST_BROKEN_SHOWN;
  const more = left > 0 ? `  ... and ${left} more (all: --json or --write-exclude FILE)\n` : '';
  const verdict =
    broken.length === 0
      ? pc.green('every image decodes\n')
      : `${broken.length} broken\n${shown.join('')}${more}`;
  const errors = problems.map(
    ({ code, problem, remedy }) => `${pc.red('error')} ${pc.bold(code)}: ${problem}\n      ${remedy}\n`,
  );
  return [table.toString(), '\n', ...splits.map(splitLine), ...strange, verdict, ...errors].join('');
}

async function dataCheckAction(dir: string, flags: DataCheckFlags): Promise<void> {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: 'decoding [{bar}] {value}/{total}', clearOnComplete: true })
    : null;
  const result = await checkData(dir, {
    exclude: flags.exclude ?? null,
    onProgress: (done, total) => {
      if (done === 1) bar?.start(total, 1);
      else bar?.update(done);
    },
  });
  bar?.stop();
  process.stdout.write(flags.json === true ? `${JSON.stringify(result, null, 2)}\n` : report(result));
  if (flags.writeExclude !== undefined) {
    await writeExclusion(flags.writeExclude, result, flags.exclude ?? null);
  }
  const isLeft = result.broken.length > 0 && flags.writeExclude === undefined;
  // An exclude list does not help if the data set as a whole is wrong.
  if (isLeft || result.problems.length > 0) process.exitCode = 1;
}

export function registerData(program: Command): void {
  const data = program.command('data').description('look after data sets');
  data
    .command('check')
    .description(
      'decode every image, count images per class, and list what is broken, left out or unusual (exit code 1 if something is broken, unless --write-exclude lists all of it)',
    )
    .argument('<folder>', 'folder with train/, and val/ or test/ or both')
    .option('--exclude <file>', 'file that lists images to leave out')
    .option('--write-exclude <file>', 'write a list of the broken images there, for --exclude')
    .option('--json', 'print JSON')
    .action(async (dir: string, flags: DataCheckFlags) =>
      runCommand(async () => dataCheckAction(dir, flags)),
    );
}
