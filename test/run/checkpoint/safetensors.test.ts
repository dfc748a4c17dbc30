/** safetensors files: what is written is read back, and every malformation is refused with what was wrong. */
import assert from 'node:assert/strict';
import { nodeDisk } from '../../../src/host/disk.js';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileDigest } from '../../../src/run/checkpoint/file-digest.js';
import {
  readSafetensors,
  readSafetensorsHeader,
  readTensors,
  writeSafetensors,
} from '../../../src/run/checkpoint/safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'vitrail-safetensors-'));
after(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);

/** A file of the given header (an object, or raw text) and data. */
function craft(name: string, header: unknown, dataBytes: number, declaredLength?: bigint): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(declaredLength ?? BigInt(json.length));
  writeFileSync(path(name), Buffer.concat([length, json, Buffer.alloc(dataBytes)]));
  return path(name);
}

test('tensors come back with names, shapes, values and metadata, and the file is as the format says', async () => {
  const shared = new Float32Array(new SharedArrayBuffer(64), 4, 6);
  shared.set([1.5, -2, 3e-40, Infinity, NaN, -0]);
  const tensors = [
    { name: 'b.weight', shape: [2, 3], data: shared },
    { name: 'scalar', shape: [], data: Float32Array.of(7) },
    { name: 'empty', shape: [0, 5], data: new Float32Array(0) },
    { name: 'ünï', shape: [1], data: Float32Array.of(8) },
  ];
  const digest = await writeSafetensors(nodeDisk, path('good'), tensors, { format: 'pt', note: 'x' });
  const bytes = readFileSync(path('good'));
  assert.equal(digest.bytes, bytes.length);
  assert.equal(digest.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.deepEqual(await fileDigest(nodeDisk, path('good')), digest);

  const headerBytes = Number(bytes.readBigUInt64LE());
  assert.equal(headerBytes % 8, 0);
  const header = JSON.parse(bytes.subarray(8, 8 + headerBytes).toString()) as Record<string, unknown>;
  assert.deepEqual(header['b.weight'], { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] });
  assert.equal(bytes.readFloatLE(8 + headerBytes), 1.5);

  const read = await readSafetensors(nodeDisk, path('good'));
  assert.deepEqual([...read.keys()].sort(), ['b.weight', 'empty', 'scalar', 'ünï']);
  for (const { name, shape, data } of tensors) {
    assert.deepEqual(read.get(name)?.shape, shape);
    assert.deepEqual([...read.get(name)!.data], [...data]);
  }
  assert.deepEqual((await readSafetensorsHeader(nodeDisk, path('good'))).metadata, {
    format: 'pt',
    note: 'x',
  });
});

test('a tensor larger than one piece is written and read whole', async () => {
  const data = Float32Array.from({ length: 2 ** 18 + 5 }, (_, i) => i);
  await writeSafetensors(nodeDisk, path('large'), [{ name: 'w', shape: [data.length], data }]);
  const read = await readSafetensors(nodeDisk, path('large'));
  assert.deepEqual(Buffer.from(read.get('w')!.data.buffer), Buffer.from(data.buffer));
});

test('tensors may be left out, and an array of another length is refused', async () => {
  const a = { name: 'a', shape: [2], data: Float32Array.of(1, 2) };
  const b = { name: 'b', shape: [1], data: Float32Array.of(3) };
  await writeSafetensors(nodeDisk, path('two'), [a, b]);
  const into = new Float32Array(1);
  await readTensors(nodeDisk, path('two'), ({ name }) => (name === 'b' ? into : null));
  assert.equal(into[0], 3);
  await assert.rejects(
    readTensors(nodeDisk, path('two'), () => into),
    /INTERNAL.*4 bytes for tensor a of 8/,
  );
});

test('values that do not fit their shape are refused before anything is written', async () => {
  await assert.rejects(
    writeSafetensors(nodeDisk, path('never'), [{ name: 'w', shape: [3], data: new Float32Array(2) }]),
    /INTERNAL.*tensor w of shape \[3\] has 2 values/,
  );
  assert.equal(existsSync(path('never')), false);
});

const F32 = (shape: unknown, offsets: unknown) => ({ dtype: 'F32', shape, data_offsets: offsets });

const MALFORMED: readonly (readonly [what: string, header: unknown, dataBytes: number, message: RegExp])[] = [
  ['a header that is not JSON', '{"w": ', 0, /header is not JSON/],
  ['a header that is a list', [], 0, /header is not an object/],
  ['metadata that is a list', { __metadata__: [] }, 0, /__metadata__ is not an object/],
  ['metadata with a number', { __metadata__: { a: 1 } }, 0, /__metadata__ entry a is not a string/],
  ['a tensor that is a number', { w: 1 }, 0, /tensor w is not described by an object/],
  ['another dtype', { w: { ...F32([1], [0, 2]), dtype: 'F16' } }, 2, /tensor w has dtype "F16", not "F32"/],
  ['no dtype', { w: { shape: [1], data_offsets: [0, 4] } }, 4, /tensor w has dtype undefined/],
  ['a negative side', { w: F32([-1], [0, 4]) }, 4, /tensor w has shape \[-1\]/],
  ['a fractional side', { w: F32([1.5], [0, 6]) }, 6, /tensor w has shape \[1.5\]/],
  ['a shape that is a text', { w: F32('1', [0, 4]) }, 4, /tensor w has shape "1"/],
  ['offsets in reverse', { w: F32([1], [4, 0]) }, 4, /tensor w has offsets \[4,0\]/],
  ['three offsets', { w: F32([1], [0, 4, 8]) }, 4, /tensor w has offsets \[0,4,8\]/],
  ['offsets that are missing', { w: { dtype: 'F32', shape: [1] } }, 4, /tensor w has offsets undefined/],
  ['bytes that do not fit the shape', { w: F32([2], [0, 4]) }, 4, /tensor w of shape \[2\] has 4 bytes/],
  [
    'tensors that overlap',
    { v: F32([2], [0, 8]), w: F32([2], [4, 12]) },
    12,
    /tensor w overlaps the one before it/,
  ],
  ['a gap', { v: F32([1], [0, 4]), w: F32([1], [8, 12]) }, 12, /4 bytes before tensor w belong to none/],
  ['a file cut short', { w: F32([2], [0, 8]) }, 7, /its tensors take 8 bytes and the file holds 7/],
  ['bytes after the last tensor', { w: F32([1], [0, 4]) }, 5, /take 4 bytes and the file holds 5/],
];

for (const [what, header, dataBytes, message] of MALFORMED) {
  test(`${what} is refused with its path`, async () => {
    const file = craft('bad', header, dataBytes);
    await assert.rejects(readSafetensors(nodeDisk, file), (error: Error) => {
      assert.match(error.message, /^CHECKPOINT_CORRUPT: /);
      assert.ok(error.message.includes(file));
      assert.match(error.message, message);
      return true;
    });
  });
}

test('a header longer than the file, or than the format allows, is refused', async () => {
  await assert.rejects(
    readSafetensors(nodeDisk, craft('bad', '{}', 0, 3n)),
    /a header of 3 bytes in a file of 10/,
  );
  await assert.rejects(
    readSafetensors(nodeDisk, craft('bad', '{}', 0, 2n ** 64n - 1n)),
    /a header of 18446744073709551615/,
  );
});

test('an empty file and one of seven bytes are too short', async () => {
  for (const bytes of [0, 7]) {
    writeFileSync(path('short'), Buffer.alloc(bytes));
    await assert.rejects(
      readSafetensors(nodeDisk, path('short')),
      new RegExp(`CHECKPOINT_CORRUPT.* ${bytes} bytes are too`),
    );
  }
});

test('bytes that are not UTF-8 in the header are refused', async () => {
  const file = craft('bad', '{"w":{}}', 0);
  const bytes = readFileSync(file);
  bytes[10] = 0xff;
  writeFileSync(file, bytes);
  await assert.rejects(readSafetensors(nodeDisk, file), /header is not JSON/);
});

test('a file that shrinks while it is read is refused', async () => {
  const data = new Float32Array(4);
  await writeSafetensors(nodeDisk, path('shrinks'), [{ name: 'w', shape: [4], data }]);
  const { size } = { size: readFileSync(path('shrinks')).length };
  const reading = readTensors(nodeDisk, path('shrinks'), () => {
    truncateSync(path('shrinks'), size - 4);
    return data;
  });
  await assert.rejects(reading, /CHECKPOINT_CORRUPT.*it ends within tensor w/);
});

test('a missing file and a folder have their own codes', async () => {
  await assert.rejects(readSafetensors(nodeDisk, path('nothing')), { code: 'CHECKPOINT_NOT_FOUND' });
  await assert.rejects(readSafetensors(nodeDisk, folder), { code: 'CHECKPOINT_UNREADABLE' });
});

test('a full disk is reported with the reason', { skip: !existsSync('/dev/full') }, async () => {
  const data = new Float32Array(4);
  await assert.rejects(writeSafetensors(nodeDisk, '/dev/full', [{ name: 'w', shape: [4], data }]), {
    code: 'CHECKPOINT_WRITE_FAILED',
    message: /ENOSPC/,
  });
});
