/** The index of a model in several safetensors files: which tensor is in which file. */

/** Tensor names by file name, or what is wrong with the text. File names are plain: no path leads elsewhere. */
export function decodeShardIndex(text: string): ReadonlyMap<string, readonly string[]> | string {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  const map = typeof root === 'object' && root !== null && 'weight_map' in root ? root.weight_map : null;
  if (typeof map !== 'object' || map === null) return 'it has no weight_map';
  const files = new Map<string, string[]>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[\w.-]+\.safetensors$/.test(file)) {
      return `tensor ${tensor} would be in the file ${JSON.stringify(file)}`;
    }
    const names = files.get(file);
    if (names === undefined) files.set(file, [tensor]);
    else names.push(tensor);
  }
  return files.size === 0 ? 'it names no tensor' : files;
}
