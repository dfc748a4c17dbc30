/** What people give as a checkpoint that is none: weights that another program wrote, told by their names. Pure. */

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.safetensors$/i, 'a safetensors file'],
  [/\.safetensors\.index\.json$/i, 'the index of several safetensors files'],
  [/\.(?:pt|pth|ckpt|bin)$/i, 'a file as PyTorch writes it'],
  [/\.npz$/i, 'a NumPy archive'],
  [/\.(?:onnx|h5|keras|gguf|msgpack)$/i, 'a model file of another program'],
];

/** What a file is, as far as its name says. */
export function kindOfFile(name: string): string {
  return KINDS.find(([ending]) => ending.test(name))?.[1] ?? 'a file';
}

/** The first file of a folder that holds weights by its name, null for none. */
export function weightsAmong(names: readonly string[]): string | null {
  return [...names].sort().find((name) => KINDS.some(([ending]) => ending.test(name))) ?? null;
}
