/** The spelling of options in flags, YAML and messages; apart from the schema, which takes long to load. */

/** `imageSize` as `image-size`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
