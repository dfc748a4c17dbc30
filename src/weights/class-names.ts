/** The names of a published model's classes. Pure. */

type Json = Readonly<Record<string, unknown>>;

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return [];
  const byNumber = value as Json;
  return Object.keys(byNumber).map((_, label) => byNumber[String(label)]);
}

/** Names that say nothing: a class's number, alone or as Hugging Face writes it where nobody has named the classes. */
export function areNumbers(names: readonly string[]): boolean {
  return names.every((name, label) => name === String(label) || name === `LABEL_${label}`);
}

function isTextList(list: readonly unknown[]): list is readonly string[] {
  return list.every((name) => typeof name === 'string' && name !== '');
}

/**
 * The names in the order of the logits, as config.json of Hugging Face (`id2label`) or timm (`label_names`) gives them. If
 * it has no different names for all of them, classes are called by their numbers.
 * @param config the parsed config.json; null without one
 * @param count number of logits
 */
export function classNames(config: Json | null, count: number): readonly string[] {
  const pretrained = (config?.['pretrained_cfg'] ?? {}) as Json;
  for (const named of [config?.['id2label'], config?.['label_names'], pretrained['label_names']]) {
    const names = listOf(named);
    if (names.length === count && isTextList(names) && new Set(names).size === count) return names;
  }
  return Array.from({ length: count }, (_, label) => String(label));
}
