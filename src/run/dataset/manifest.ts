/**
 * The manifest: the list of a data set's files that coordinator and workers compare before they train
 * together.
 */
import { counted } from '../../errors/wording.js';
import { byCodePoints } from './name-order.js';

export interface ManifestSample {
  /** Relative to the data folder, separated by '/'. */
  readonly path: string;
  readonly bytes: number;
  /** Index into the manifest's classes. */
  readonly label: number;
}

export interface SplitManifest {
  /**
   * In the order of torchvision's ImageFolder. Everywhere else, a sample's number is its position in this
   * list.
   */
  readonly samples: readonly ManifestSample[];
  /** SHA-256 in hex of `splitLayout`. */
  readonly digest: string;
}

export interface Manifest {
  /** Class names in the order of their code points; a label is a position in it. */
  readonly classes: readonly string[];
  readonly train: SplitManifest;
  /** The images that choose the best checkpoint. If it has no samples, `test` does that. */
  readonly val: SplitManifest;
  /** Has no samples if the data set has no test images. */
  readonly test: SplitManifest;
  /** SHA-256 in hex of `manifestLayout`. */
  readonly digest: string;
}

/**
 * The text whose SHA-256 is a split's digest: a version line, then one JSON line a sample. It has only paths,
 * sizes and labels, because hashing the contents of a large data set at each start would take minutes. So a
 * file that differs between two machines in content but not in size is not noticed.
 */
export function* splitLayout(samples: readonly ManifestSample[]): Generator<string> {
  yield 'vitrail split 1\n';
  for (const { path, bytes, label } of samples) yield `${JSON.stringify([path, bytes, label])}\n`;
}

/** The splits that are evaluated. */
export type EvaluatedSplit = 'val' | 'test';

/** The split that the best checkpoint and early stopping are chosen by. */
export function choosingSplit({ val }: Pick<Manifest, 'val'>): EvaluatedSplit {
  return val.samples.length > 0 ? 'val' : 'test';
}

/** Whether there are test images that nothing was chosen by. */
export function hasFinalTest(manifest: Pick<Manifest, 'val' | 'test'>): boolean {
  return choosingSplit(manifest) === 'val' && manifest.test.samples.length > 0;
}

/** Every image of the data set once, split after split. */
export function allSamples({ train, val, test }: Pick<Manifest, 'train' | 'val' | 'test'>): ManifestSample[] {
  return [...train.samples, ...val.samples, ...test.samples];
}

/**
 * The text whose SHA-256 is a manifest's digest: a version line, the classes as JSON, the digests of the splits.
 * @param digests of those of train, val and test that have samples
 */
export function manifestLayout(classes: readonly string[], digests: readonly string[]): string {
  return `vitrail manifest 1\n${JSON.stringify(classes)}\n${digests.map((digest) => `${digest}\n`).join('')}`;
}

function differenceInClasses(here: readonly string[], there: readonly string[]): string | null {
  const i = here.findIndex((name, at) => name !== there[at]);
  const at = i < 0 ? here.length : i;
  const mine = here[at];
  const yours = there[at];
  if (mine === undefined && yours === undefined) return null;
  return yours === undefined || (mine !== undefined && byCodePoints(mine, yours) < 0)
    ? `the class "${String(mine)}" exists only here`
    : `the class "${yours}" is missing here`;
}

function differenceInSamples(
  here: readonly ManifestSample[],
  there: readonly ManifestSample[],
): string | null {
  const missingHere = new Set(there.map(({ path }) => path));
  for (const { path } of here) missingHere.delete(path);
  for (const [i, theirs] of there.entries()) {
    const ours = here[i];
    if (missingHere.has(theirs.path)) return `${theirs.path} is missing here`;
    if (ours === undefined) return `${theirs.path} is listed fewer times here`;
    if (ours.path !== theirs.path) return `${ours.path} exists only here`;
    if (ours.bytes !== theirs.bytes) {
      return `${ours.path} has ${counted(ours.bytes, 'byte')} here, ${theirs.bytes} there`;
    }
    if (ours.label !== theirs.label)
      return `${ours.path} has label ${ours.label} here, ${theirs.label} there`;
  }
  const extra = here[there.length];
  return extra === undefined ? null : `${extra.path} exists only here`;
}

/**
 * The first difference between two manifests in words, as seen from `here`; null if there is none. Classes
 * are compared first, then train, val and test, each in manifest order.
 */
export function firstDifference(
  here: Pick<Manifest, 'classes' | 'train' | 'val' | 'test'>,
  there: Pick<Manifest, 'classes' | 'train' | 'val' | 'test'>,
): string | null {
  return (
    differenceInClasses(here.classes, there.classes) ??
    differenceInSamples(here.train.samples, there.train.samples) ??
    differenceInSamples(here.val.samples, there.val.samples) ??
    differenceInSamples(here.test.samples, there.test.samples)
  );
}
