/** The globals of PyTorch that a state dict needs, and what a call of each would give: descriptions, no objects. */
import type { ElementType } from './element-types.js';
import { Global, type PickleObjects } from './pickle.js';

/** A storage: the name of its bytes in the archive, their type, and how many elements the pickle says there are. */
export class TorchStorage {
  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly elements: number,
  ) {}
}

/** A view of a storage, all in elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

const STORAGE_TYPES: Readonly<Record<string, ElementType>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

const ORDERED_DICT = 'collections.OrderedDict';
const TENSOR = 'torch._utils._rebuild_tensor_v2';
const PARAMETER = 'torch._utils._rebuild_parameter';
const SIZE = 'torch.Size';

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function areCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}

function tensor([storage, offset, shape, strides]: readonly unknown[]): TorchTensor | undefined {
  if (!(storage instanceof TorchStorage) || !isCount(offset) || !areCounts(shape) || !areCounts(strides)) {
    return undefined;
  }
  return shape.length === strides.length ? new TorchTensor(storage, offset, shape, strides) : undefined;
}

function called(name: string, args: readonly unknown[]): unknown {
  if (name === TENSOR) return tensor(args);
  if (name === PARAMETER) return args[0] instanceof TorchTensor ? args[0] : undefined;
  if (name === SIZE) return areCounts(args[0]) ? args[0] : undefined;
  if (name === ORDERED_DICT) return args.length === 0 ? new Map() : undefined;
  return undefined;
}

/** ('storage', type, key, device, elements): torch/serialization.py, persistent_id. */
function persistent(id: unknown): unknown {
  const [tag, global, key, , elements] = Array.isArray(id) ? (id as unknown[]) : [];
  if (tag !== 'storage' || !(global instanceof Global) || typeof key !== 'string' || !isCount(elements)) {
    return undefined;
  }
  const type = Object.hasOwn(STORAGE_TYPES, global.name) ? STORAGE_TYPES[global.name] : undefined;
  return type === undefined ? undefined : new TorchStorage(key, type, elements);
}

const CALLABLE: readonly string[] = [ORDERED_DICT, TENSOR, PARAMETER, SIZE];

export const TORCH_OBJECTS: PickleObjects = {
  knows: (name) => CALLABLE.includes(name) || Object.hasOwn(STORAGE_TYPES, name),
  called,
  persistent,
};
