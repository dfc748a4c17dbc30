/**
 * Finds our name of a model, given its name in torchvision, timm, open_clip or Transformers, or a misspelt
 * name.
 */
import { editDistance, nearestName } from '../../errors/name-distance.js';

const SIZE_OF: Readonly<Record<string, string>> = {
  micro: 'micro',
  ti: 'ti',
  tiny: 'ti',
  s: 's',
  small: 's',
  b: 'b',
  base: 'b',
  l: 'l',
  large: 'l',
  h: 'h',
  huge: 'h',
};

/** A size after `vit` or `deit` and before its patch: vit_base_patch16_224, ViT-B_16, vit-tiny/16, vit_b_16, deit3-s. */
const NAMED =
  /(?:^|[^a-z])(?:vit|deit3?|vision[-_ ]?transformer)[-_ ]?(micro|tiny|ti|small|s|base|b|large|l|huge|h)(?![a-z])/;
const PATCH = /(?:patch|[-_/ ]p|[-_/ ]|^)(\d{1,2})(?!\d)/;
/** The first word, without `vit`. */
const WORD = /^(?:vit[-_ ]?)?([a-z]+)/;
/** A word with more differing letters is another word, not a typing error. */
const MOST_ERRORS = 2;

/** H has patches of 14 in the paper, the others of 16; micro is for images of 32 pixels. */
function usualPatch(size: string): number {
  if (size === 'h') return 14;
  return size === 'micro' ? 8 : 16;
}

/** The size that a word means, perhaps misspelt; B if it means none. */
function sizeOfWord(word: string): string {
  const near = nearestName(word, Object.keys(SIZE_OF));
  const errors = editDistance(word, near);
  return errors > MOST_ERRORS || errors >= near.length || errors >= word.length
    ? (SIZE_OF[word] ?? 'b')
    : SIZE_OF[near]!;
}

/** The model that was probably meant by a name that we do not have. */
export function suggestedModel(name: string): string {
  const text = name.toLowerCase();
  const named = NAMED.exec(text);
  const after = named === null ? text : text.slice(named.index + named[0].length);
  const size = sizeOfWord(named?.[1] ?? WORD.exec(text)?.[1] ?? '');
  const patch = Number(PATCH.exec(after)?.[1] ?? 0);
  return `vit-${size}/${patch === 0 ? usualPatch(size) : patch}`;
}
