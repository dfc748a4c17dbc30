/** Things in a data set that its user may not know of: a count and some examples of each kind. */
import { listing } from './listing.js';
import { pathText } from './path-text.js';

/** Each kind with its sentence: one, and many. In the order of a report. */
const SENTENCES = {
  'skipped-file': ['1 file is left out for its extension', '{n} files are left out for their extension'],
  'hidden-folder': [
    '1 folder of other programs is left out, with what it holds',
    '{n} folders of other programs are left out, with what they hold',
  ],
  'companion-file': ['1 file of other programs is left out', '{n} files of other programs are left out'],
  'outside-classes': [
    '1 image lies beside the class folders and is left out',
    '{n} images lie beside the class folders and are left out',
  ],
  'alike-classes': [
    '1 pair of classes has names that look alike',
    '{n} pairs of classes have names that look alike',
  ],
  'few-images': ['1 class has few images (below 10)', '{n} classes have few images (below 10)'],
  'dominant-class': [
    '1 class has most of the images of its split',
    '{n} classes have most of the images of their split',
  ],
  'two-labels': ['1 picture has more than one label', '{n} pictures have more than one label'],
  'two-splits': ['1 picture is in more than one split', '{n} pictures are in more than one split'],
  'twice-in-class': ['1 picture is there more than once', '{n} pictures are there more than once'],
  transparent: ['1 image is wholly transparent', '{n} images are wholly transparent'],
  black: ['1 image is wholly black', '{n} images are wholly black'],
  'one-colour': ['1 image has one colour only', '{n} images have one colour only'],
} as const satisfies Record<string, readonly [string, string]>;

export type FindingKind = keyof typeof SENTENCES;

export interface Finding {
  readonly kind: FindingKind;
  readonly count: number;
  /** Counts by extension, the most frequent first; only of skipped files. */
  readonly extensions?: readonly { readonly extension: string; readonly count: number }[];
  /** The first ones as a report shows them; paths are relative to the data folder. */
  readonly examples: readonly string[];
}

/** So many are kept: a data set may have millions of each kind. */
const MOST_EXAMPLES = 20;
const MOST_EXTENSIONS = 50;
const EXAMPLES_IN_A_LINE = 3;
const EXTENSIONS_IN_A_LINE = 6;

interface Tally {
  count: number;
  readonly examples: string[];
  readonly extensions: Map<string, number>;
}

export class FindingTally {
  readonly #tallies = new Map<FindingKind, Tally>();

  add(kind: FindingKind, example: string, extension?: string): void {
    const tally = this.#tallies.get(kind) ?? {
      count: 0,
      examples: [],
      extensions: new Map<string, number>(),
    };
    this.#tallies.set(kind, tally);
    tally.count++;
    if (tally.examples.length < MOST_EXAMPLES) tally.examples.push(example);
    if (extension === undefined) return;
    const known = tally.extensions.has(extension) || tally.extensions.size < MOST_EXTENSIONS;
    const name = known ? extension : 'others';
    tally.extensions.set(name, (tally.extensions.get(name) ?? 0) + 1);
  }

  findings(): Finding[] {
    const kinds = Object.keys(SENTENCES) as FindingKind[];
    return kinds.flatMap((kind) => {
      const tally = this.#tallies.get(kind);
      if (tally === undefined) return [];
      const { count, examples } = tally;
      if (tally.extensions.size === 0) return [{ kind, count, examples }];
      const extensions = [...tally.extensions].map(([extension, of]) => ({ extension, count: of }));
      return [{ kind, count, extensions: extensions.sort((a, b) => b.count - a.count), examples }];
    });
  }
}

/** One line on a finding. */
export function findingText({ kind, count, extensions, examples }: Finding): string {
  const sentence = SENTENCES[kind][count === 1 ? 0 : 1].replace('{n}', String(count));
  const kinds = extensions?.map((of) => `${of.count} ${pathText(of.extension)}`) ?? [];
  const groups = kinds.length === 0 ? '' : ` (${listing(kinds, EXTENSIONS_IN_A_LINE)})`;
  return `${sentence}${groups}: ${listing(examples, EXAMPLES_IN_A_LINE, count)}`;
}
