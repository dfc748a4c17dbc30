/**
 * The spelling of options in flags, YAML and messages. It has a file of its own because the schema takes long
 * to load.
 */

/** `imageSize` as `image-size`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
