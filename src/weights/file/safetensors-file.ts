/** safetensors files of other programs: one file, or several with an index. */
import { dirname, join } from 'node:path';
import type { Disk } from '../../host/disk.js';
import { malformed } from '../format/malformed.js';
import { decodeHeader, headerLength, LENGTH_BYTES } from '../format/safetensors-header.js';
import { decodeShardIndex } from '../format/shard-index.js';
import { ByteSource } from './byte-source.js';
import { entryOf, tensorValues, type TensorFile, type TensorInfo } from './tensor-file.js';

async function opened(source: ByteSource): Promise<TensorFile> {
  const { path, size } = source;
  const length = headerLength(await source.read(0, Math.min(LENGTH_BYTES, size)), size);
  if (typeof length === 'string') throw malformed(path, 'safetensors', length);
  const header = decodeHeader(await source.read(LENGTH_BYTES, length), size);
  if (typeof header === 'string') throw malformed(path, 'safetensors', header);
  const tensors = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
  return {
    path,
    tensors,
    read: async (name) => {
      const { type, start, bytes } = entryOf(path, tensors, name);
      return tensorValues(path, name, type, await source.read(start, bytes));
    },
    close: () => source.close(),
  };
}

export async function openSafetensorsFile(disk: Disk, path: string): Promise<TensorFile> {
  return ByteSource.keptOpen(disk, path, opened);
}

/** An index is a few kilobytes long; one of many megabytes is none. */
const LONGEST_INDEX = 64 * 2 ** 20;

async function indexText(disk: Disk, path: string): Promise<string> {
  const source = await ByteSource.open(disk, path);
  try {
    if (source.size > LONGEST_INDEX) {
      throw malformed(path, 'an index of safetensors files', `it has ${source.size} bytes`);
    }
    return new TextDecoder().decode(await source.read(0, source.size));
  } finally {
    await source.close();
  }
}

/** All tensors that `model.safetensors.index.json` names, from the files beside it. */
export async function openShardedSafetensors(disk: Disk, path: string): Promise<TensorFile> {
  const index = decodeShardIndex(await indexText(disk, path));
  if (typeof index === 'string') throw malformed(path, 'an index of safetensors files', index);
  const shards: TensorFile[] = [];
  const close = async (): Promise<void> => {
    for (const shard of shards) await shard.close();
  };
  const holders = new Map<string, TensorFile>();
  const tensors = new Map<string, TensorInfo>();
  try {
    for (const [file, names] of index) {
      const shard = await openSafetensorsFile(disk, join(dirname(path), file));
      shards.push(shard);
      for (const name of names) {
        const info = shard.tensors.get(name);
        if (info === undefined) {
          throw malformed(path, 'an index of safetensors files', `${file} has no tensor ${name}`);
        }
        tensors.set(name, info);
        holders.set(name, shard);
      }
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { path, tensors, read: (name) => entryOf(path, holders, name).read(name), close };
}
