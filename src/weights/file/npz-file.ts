/** NumPy archives, as vit_jax publishes its weights: a zip archive of arrays. */
import type { Disk } from '../../host/disk.js';
import { malformed } from '../format/malformed.js';
import { decodeNpyHeader, NPY_HEADER_READ, type NpyHeader } from '../format/npy-header.js';
import { gathered, isContiguous, stridesOf } from '../format/strided.js';
import type { ZipEntry } from '../format/zip-directory.js';
import { ByteSource } from './byte-source.js';
import { entryOf, tensorValues, type TensorFile } from './tensor-file.js';
import { ZipArchive } from './zip-archive.js';

const FORMAT = 'a NumPy archive';
const ENDING = '.npy';

interface NpyEntry extends NpyHeader {
  readonly entry: ZipEntry;
}

/** Header of an entry, whose length in the archive must be what its shape says. */
async function headerOf(path: string, archive: ZipArchive, entry: ZipEntry): Promise<NpyEntry> {
  const header = decodeNpyHeader(await archive.beginning(entry, NPY_HEADER_READ));
  if (typeof header === 'string') throw malformed(path, FORMAT, `${entry.name} ${header}`);
  if (header.start + header.bytes !== entry.bytes) {
    const problem = `${entry.name} of shape [${header.shape.join(', ')}] has ${entry.bytes} bytes`;
    throw malformed(path, FORMAT, problem);
  }
  return { ...header, entry };
}

/** An array whose first axis varies fastest is one in reverse order of axes. */
function inOrder(values: Float32Array, { shape, firstAxisFastest }: NpyHeader): Float32Array {
  if (!firstAxisFastest) return values;
  const strides = stridesOf([...shape].reverse()).reverse();
  return isContiguous(shape, strides) ? values : gathered(values, shape, strides);
}

async function opened(source: ByteSource): Promise<TensorFile> {
  const { path } = source;
  const archive = await ZipArchive.open(source, FORMAT);
  const tensors = new Map<string, NpyEntry>();
  for (const [name, entry] of archive.entries) {
    if (name.endsWith(ENDING)) {
      tensors.set(name.slice(0, -ENDING.length), await headerOf(path, archive, entry));
    }
  }
  return {
    path,
    tensors,
    read: async (name) => {
      const header = entryOf(path, tensors, name);
      const bytes = (await archive.checkedContent(header.entry)).subarray(header.start);
      return inOrder(tensorValues(path, name, header.type, bytes), header);
    },
    close: () => source.close(),
  };
}

export async function openNpzFile(disk: Disk, path: string): Promise<TensorFile> {
  return ByteSource.keptOpen(disk, path, opened);
}
