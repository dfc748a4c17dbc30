/** A model's layers with output shapes, parameters and floating-point operations. */
import { featureWidth, patchCount, patchLength, tokenCount, type ModelSpec } from './model-spec.js';
import { lastNormName, parameterLayout } from './parameter-layout.js';

export interface SummaryRow {
  /** The layer's name, as its parameters' names start. */
  readonly layer: string;
  /** For one image. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** In the forward pass, for one image; a multiplication and an addition count as two. */
  readonly flops: number;
}

export interface ModelSummary {
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  /** In the forward pass, for one image. Training costs three times as much. */
  readonly forwardFlops: number;
}

/**
 * Summary of `spec`. Matrix products alone are counted: L (24 S D^2 + 4 S^2 D) for an MLP of 4 D, plus patch
 * embedding, pre-logits and head, where S = N + 1 counts the class token (and all others before the patches).
 */
export function modelSummary(spec: ModelSpec): ModelSummary {
  const { hidden, mlp, preLogits, classes } = spec;
  const patches = patchCount(spec);
  const tokens = tokenCount(spec);
  const { slots } = parameterLayout(spec);
  const parametersOf = (...prefixes: string[]): number =>
    slots
      .filter((slot) => prefixes.some((prefix) => slot.name === prefix || slot.name.startsWith(`${prefix}.`)))
      .reduce((sum, slot) => sum + slot.length, 0);
  const linear = (rows: number, into: number, out: number): number => 2 * rows * into * out;

  const row = (layer: string, outputShape: number[], flops: number, prefixes = [layer]): SummaryRow => ({
    layer,
    outputShape,
    parameters: parametersOf(...prefixes),
    flops,
  });
  const rows: SummaryRow[] = [
    row('patch_embed', [patches, hidden], linear(patches, patchLength(spec), hidden)),
    row('tokens', [tokens, hidden], 0, ['cls_token', 'dist_token', 'reg_token', 'pos_embed']),
  ];
  for (let i = 0; i < spec.layers; i++) {
    const block = `blocks.${i}`;
    const projections = linear(tokens, hidden, 3 * hidden) + linear(tokens, hidden, hidden);
    const scoresAndMix = 2 * linear(tokens, hidden, tokens);
    rows.push(
      row(`${block}.norm1`, [tokens, hidden], 0),
      row(`${block}.attn`, [tokens, hidden], projections + scoresAndMix, [`${block}.attn`, `${block}.ls1`]),
      row(`${block}.norm2`, [tokens, hidden], 0),
      row(`${block}.mlp`, [tokens, hidden], 2 * linear(tokens, hidden, mlp), [
        `${block}.mlp`,
        `${block}.ls2`,
      ]),
    );
  }
  const width = featureWidth(spec);
  const headInput = preLogits > 0 ? preLogits : width;
  rows.push(row(lastNormName(spec), [width], 0));
  if (preLogits > 0) rows.push(row('pre_logits', [preLogits], linear(1, width, preLogits)));
  rows.push(row('head', [classes], linear(1, headInput, classes)));
  if (spec.distillation) rows.push(row('head_dist', [classes], linear(1, headInput, classes)));

  return {
    rows,
    parameters: rows.reduce((sum, { parameters }) => sum + parameters, 0),
    forwardFlops: rows.reduce((sum, { flops }) => sum + flops, 0),
  };
}

const BLOCK = /^blocks\.\d+(\..*)$/;

/**
 * Rows for people. At depth 1 all blocks are one row, at 2 there is a row for each kind of layer in them, at
 * 3 for each layer.
 */
export function foldedRows(rows: readonly SummaryRow[], layers: number, depth: number): SummaryRow[] {
  if (depth >= 3) return [...rows];
  const folded = new Map<string, SummaryRow>();
  for (const { layer, outputShape, parameters, flops } of rows) {
    const kind = BLOCK.exec(layer)?.[1];
    const name = kind === undefined ? layer : `blocks.0-${layers - 1}${depth >= 2 ? kind : ''}`;
    const before = folded.get(name) ?? { parameters: 0, flops: 0 };
    folded.set(name, {
      layer: name,
      outputShape,
      parameters: before.parameters + parameters,
      flops: before.flops + flops,
    });
  }
  return [...folded.values()];
}
