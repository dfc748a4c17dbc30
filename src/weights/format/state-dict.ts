/** Finds a model's tensors in what a PyTorch file holds, and checks them against the bytes that are there. */
import { elementCount, elementWidth } from './element-types.js';
import { spanOf } from './strided.js';
import { TorchTensor } from './torch-objects.js';

/** Where checkpoints keep the weights beside other things, those of the averaged model first, as timm does. */
const NESTINGS = ['state_dict_ema', 'model_ema', 'state_dict', 'model', 'model_state', 'model_state_dict'];

function tensorsIn(value: unknown): Map<string, TorchTensor> | null {
  if (!(value instanceof Map)) return null;
  const tensors = new Map<string, TorchTensor>();
  for (const [name, entry] of value) {
    if (typeof name === 'string' && entry instanceof TorchTensor) tensors.set(name, entry);
  }
  return tensors.size > 0 ? tensors : null;
}

/** The tensors of `root`, or of the state dict in it; null if there are none. */
export function stateDict(root: unknown): ReadonlyMap<string, TorchTensor> | null {
  const own = tensorsIn(root);
  if (own !== null || !(root instanceof Map)) return own;
  for (const name of NESTINGS) {
    const nested = tensorsIn(root.get(name));
    if (nested !== null) return nested;
  }
  return null;
}

/**
 * What is wrong with a tensor; null if nothing is.
 * @param storageBytes of its storage in the file; undefined if the file has no such storage
 */
export function tensorProblem(
  { storage, offset, shape, strides }: TorchTensor,
  storageBytes: number | undefined,
): string | null {
  const { key, type, elements } = storage;
  if (storageBytes === undefined) return `its storage ${key} is missing`;
  if (elements * elementWidth(type) !== storageBytes) {
    return `its storage ${key} has ${storageBytes} bytes, not ${elements} elements of type ${type}`;
  }
  const span = spanOf(shape, strides);
  if (!(offset + span <= elements)) return `it reaches to element ${offset + span} of ${elements}`;
  // Only a step of 0 can make more of a storage than is there.
  if (elementCount(shape) > elements)
    return `its shape [${shape.join(', ')}] has more elements than its storage`;
  return null;
}
