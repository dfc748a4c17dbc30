/**
 * Recognises weights of other programs, which people give in place of a checkpoint, by their file names.
 * Pure.
 */

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.safetensors$/i, 'a safetensors file'],
  [/\.safetensors\.index\.json$/i, 'the index of several safetensors files'],
  [/\.(?:pt|pth|ckpt|bin)$/i, 'a file as PyTorch writes it'],
  [/\.npz$/i, 'a NumPy archive'],
  [/\.(?:onnx|h5|keras|gguf|msgpack)$/i, 'a model file of another program'],
];

/** What a file seems to be, by its name. */
export function kindOfFile(name: string): string {
  return KINDS.find(([ending]) => ending.test(name))?.[1] ?? 'a file';
}

/** The first file of a folder that seems to hold weights, by its name; null if there is none. */
export function weightsAmong(names: readonly string[]): string | null {
  return [...names].sort().find((name) => KINDS.some(([ending]) => ending.test(name))) ?? null;
}
