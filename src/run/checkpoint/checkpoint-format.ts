/**
 * The parts of the checkpoint format that need no disk: names, small files, and how the parameters of two
 * models differ.
 */
import type { ParameterLayout } from '../model/parameter-layout.js';
import type { FileDigest } from './file-digest.js';
import type { TensorEntry } from '../../weights/format/safetensors-header.js';

/** Names in a run folder. */
export const CHECKPOINTS_FOLDER = 'checkpoints';
export const BEST_FILE = 'best.json';

/** Names in a checkpoint folder. */
export const WEIGHTS_FILE = 'weights.safetensors';
export const OPTIMIZER_FILE = 'optimizer.safetensors';
export const STATE_FILE = 'state.json';
export const CHECKSUMS_FILE = 'checksums.json';
export const MARKER_FILE = 'COMPLETE';

/** The files that have checksums. */
export const CONTENT_FILES = [WEIGHTS_FILE, OPTIMIZER_FILE, STATE_FILE] as const;
export type ContentFile = (typeof CONTENT_FILES)[number];
export type Checksums = Readonly<Record<ContentFile, FileDigest>>;

/** A key in the metadata of both safetensors files. */
export const PRODUCER = 'vitrail';

const FORMAT = 1;

/**
 * Prefixes of hidden folders: one that is being written or removed, and one that was moved aside to write the
 * same step again.
 */
export const TEMPORARY_PREFIX = '.tmp-';
export const REPLACED_PREFIX = '.old-';

export function folderName(step: number): string {
  return `step-${String(step).padStart(8, '0')}`;
}

/** The step of a folder name, and whether it was moved aside; null for other names. */
export function parseFolderName(name: string): { step: number; replaced: boolean } | null {
  const replaced = name.startsWith(REPLACED_PREFIX);
  const plain = replaced ? name.slice(REPLACED_PREFIX.length) : name;
  const step = Number(/^step-(\d{8,15})$/.exec(plain)?.[1] ?? NaN);
  return folderName(step) === plain ? { step, replaced } : null;
}

export function encodeChecksums(checksums: Checksums): string {
  const files = Object.fromEntries(
    CONTENT_FILES.map((name) => [name, { sha256: checksums[name].sha256, bytes: checksums[name].bytes }]),
  );
  return `${JSON.stringify({ format: FORMAT, files }, null, 2)}\n`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseDigest(value: unknown): FileDigest | null {
  if (!isRecord(value)) return null;
  const { sha256, bytes } = value;
  return typeof sha256 === 'string' && typeof bytes === 'number' ? { sha256, bytes } : null;
}

/**
 * The checksums in a text; null if the text is not byte for byte what `encodeChecksums` writes. This file has
 * no checksum itself, but in this way no byte of it can change unnoticed.
 */
export function decodeChecksums(text: string): Checksums | null {
  const root = parseJson(text);
  const files = isRecord(root) && isRecord(root['files']) ? root['files'] : {};
  const weights = parseDigest(files[WEIGHTS_FILE]);
  const optimizer = parseDigest(files[OPTIMIZER_FILE]);
  const state = parseDigest(files[STATE_FILE]);
  if (weights === null || optimizer === null || state === null) return null;
  const checksums = { [WEIGHTS_FILE]: weights, [OPTIMIZER_FILE]: optimizer, [STATE_FILE]: state };
  return encodeChecksums(checksums) === text ? checksums : null;
}

/**
 * Plain JSON that the coordinator gives: configuration, model, classes, epoch, amax history, early stopping,
 * and so on.
 */
export type CheckpointState = Readonly<Record<string, unknown>>;

/**
 * The text of state.json, or the path of a number that JSON cannot hold and would silently turn into null.
 */
export function encodeState(step: number, state: CheckpointState): { text: string } | { notFinite: string } {
  const bad: string[] = [];
  const replacer = (key: string, value: unknown): unknown => {
    if (typeof value === 'number' && !Number.isFinite(value)) bad.push(`${key} is ${value}`);
    return value;
  };
  const text = JSON.stringify({ format: FORMAT, step, state }, replacer, 2);
  return bad[0] === undefined ? { text: `${text}\n` } : { notFinite: bad[0] };
}

/** Step and state of a text, or what is wrong with it. */
export function decodeState(text: string): { step: number; state: CheckpointState } | string {
  const root = parseJson(text);
  if (!isRecord(root)) return `${STATE_FILE} is not a JSON object`;
  if (root['format'] !== FORMAT) {
    return `${STATE_FILE} has format ${JSON.stringify(root['format'])}, this version reads ${FORMAT}`;
  }
  const { step, state } = root;
  if (typeof step !== 'number' || !isRecord(state)) return `${STATE_FILE} has no step or no state`;
  return { step, state };
}

function describe(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/**
 * The first difference between a model's parameters and the tensors of a file; null if there is none.
 * @param prefix comes before the parameter's name in the file, for example `exp_avg.`
 */
export function layoutDifference(
  layout: ParameterLayout,
  tensors: readonly TensorEntry[],
  prefix = '',
): string | null {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  for (const slot of layout.slots) {
    const name = prefix + slot.name;
    const shape = shapes.get(name);
    if (shape === undefined) return `it has no ${name}`;
    if (describe(shape) !== describe(slot.shape)) {
      return `${name} is ${describe(shape)}, the model's is ${describe(slot.shape)}`;
    }
    shapes.delete(name);
  }
  const [extra] = shapes.keys();
  return extra === undefined ? null : `it has ${extra}, which the model does not have`;
}
