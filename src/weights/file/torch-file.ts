/** State dicts as PyTorch has written them since 1.6: a zip archive with a pickle and one entry for each storage. */
import { coded } from '../../errors/errors.js';
import type { Disk } from '../../host/disk.js';
import { elementCount, elementWidth } from '../format/element-types.js';
import { malformed } from '../format/malformed.js';
import { readPickle } from '../format/pickle.js';
import { stateDict, tensorProblem } from '../format/state-dict.js';
import { gathered, isContiguous, spanOf } from '../format/strided.js';
import { TORCH_OBJECTS, type TorchTensor } from '../format/torch-objects.js';
import { ByteSource } from './byte-source.js';
import { entryOf, tensorValues, type TensorFile } from './tensor-file.js';
import { ZipArchive } from './zip-archive.js';

const FORMAT = 'a PyTorch state dict';
/** All names in the archive begin with the name of the file that was saved. */
const PICKLE = /^(.*\/)?data\.pkl$/;
/** The first opcode of every pickle since protocol 2. */
const PICKLE_START = 0x80;

/** @throws WEIGHTS_LEGACY_PICKLE for a bare pickle */
async function refuseLegacy(source: ByteSource): Promise<void> {
  const [first] = await source.read(0, Math.min(1, source.size));
  if (first === PICKLE_START) throw coded('WEIGHTS_LEGACY_PICKLE', { path: source.path });
}

/** The tensors that the pickle describes, and the folder of the archive in which their storages are. */
async function described(path: string, archive: ZipArchive) {
  const name = [...archive.entries.keys()].find((entry) => PICKLE.test(entry));
  if (name === undefined) throw malformed(path, FORMAT, 'it has no data.pkl');
  const folder = name.slice(0, -'data.pkl'.length);
  const order = archive.entries.get(`${folder}byteorder`);
  if (order !== undefined) {
    const text = new TextDecoder().decode(await archive.beginning(order, 16));
    if (text.trim() !== 'little') throw malformed(path, FORMAT, `its byte order is ${JSON.stringify(text)}`);
  }
  const result = readPickle(await archive.content(entryOf(path, archive.entries, name)), TORCH_OBJECTS);
  if ('refused' in result) throw coded('WEIGHTS_PICKLE_REFUSED', { path, name: result.refused });
  if ('problem' in result) throw malformed(path, FORMAT, result.problem);
  const tensors = stateDict(result.value);
  if (tensors === null) throw malformed(path, FORMAT, 'it holds no dictionary of tensors');
  return { tensors, folder };
}

async function opened(source: ByteSource): Promise<TensorFile> {
  const { path } = source;
  await refuseLegacy(source);
  const archive = await ZipArchive.open(source, FORMAT);
  const { tensors, folder } = await described(path, archive);
  const storageOf = ({ storage }: TorchTensor) => archive.entries.get(`${folder}data/${storage.key}`);
  for (const [name, tensor] of tensors) {
    const entry = storageOf(tensor);
    const problem = entry?.deflated === true ? 'its storage is packed' : tensorProblem(tensor, entry?.bytes);
    if (problem !== null) throw malformed(path, FORMAT, `tensor ${name}: ${problem}`);
  }
  return {
    path,
    tensors: new Map([...tensors].map(([name, { shape, storage }]) => [name, { shape, type: storage.type }])),
    read: async (name) => {
      const tensor = entryOf(path, tensors, name);
      const { offset, shape, strides, storage } = tensor;
      const width = elementWidth(storage.type);
      const contiguous = isContiguous(shape, strides);
      const elements = contiguous ? elementCount(shape) : spanOf(shape, strides);
      const start = await archive.startOf(storageOf(tensor)!);
      const bytes = await source.read(start + offset * width, elements * width);
      const values = tensorValues(path, name, storage.type, bytes);
      return contiguous ? values : gathered(values, shape, strides);
    },
    close: () => source.close(),
  };
}

export async function openTorchFile(disk: Disk, path: string): Promise<TensorFile> {
  return ByteSource.keptOpen(disk, path, opened);
}
