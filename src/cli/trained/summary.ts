/** `vitrail summary`: a model's layers, shapes, parameters and FLOPs. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { modelSpec } from '../../run/model/model-spec.js';
import { foldedRows, modelSummary } from '../../run/model/model-summary.js';
import { runCommand } from '../run-command.js';
import { wholeNumber } from '../whole-number.js';
import { counted } from '../../errors/wording.js';

interface SummaryFlags {
  readonly imageSize: number;
  readonly classes: number;
  readonly preLogits: number;
  readonly depth: number;
  readonly json?: boolean;
}

function summaryAction(model: string, flags: SummaryFlags): void {
  const spec = modelSpec(model, flags);
  const summary = modelSummary(spec);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify({ spec, ...summary }, null, 2)}\n`);
    return;
  }
  const table = new Table({
    head: ['layer', 'output', 'parameters', 'MFLOP'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right'],
  });
  for (const { layer, outputShape, parameters, flops } of foldedRows(
    summary.rows,
    spec.layers,
    flags.depth,
  )) {
    const shape = outputShape.join(' x ');
    table.push([layer, shape, parameters.toLocaleString('en-US'), (flops / 1e6).toFixed(1)]);
  }
  const gigaflops = (summary.forwardFlops / 1e9).toFixed(2);
  process.stdout.write(
    `${spec.name}, ${spec.imageSize} px, ${counted(spec.classes, 'class')}\n${table.toString()}\n` +
      `${summary.parameters.toLocaleString('en-US')} parameters, ${gigaflops} GFLOP forward an image, three times that to train\n`,
  );
}

export function registerSummary(program: Command): void {
  program
    .command('summary')
    .description('layers, shapes, parameters and FLOPs of a model')
    .argument('<model>', 'SIZE/PATCH, for example vit-b/16')
    .option('--image-size <pixels>', 'side of the square input', wholeNumber(1, 4096), 224)
    .option('--classes <number>', 'classes', wholeNumber(2), 1000)
    .option(
      '--pre-logits <number>',
      'width of the tanh layer before the head, 0 for none',
      wholeNumber(0, 65536),
      0,
    )
    .option(
      '--depth <number>',
      '1: all blocks in one row, 2: a row a kind of layer, 3: every layer',
      wholeNumber(1, 3),
      2,
    )
    .option('--json', 'print JSON')
    .action(async (model: string, flags: SummaryFlags) =>
      runCommand(() => {
        summaryAction(model, flags);
        return Promise.resolve();
      }),
    );
}
