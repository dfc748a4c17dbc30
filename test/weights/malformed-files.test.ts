/** Malformed files end in a coded error that says what is wrong, and nothing in them is ever called. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import {
  float32,
  npy,
  op,
  refusal,
  safetensors,
  stateDictPickle,
  torchFile,
  type PickledTensor,
} from './weight-files.js';
import { zipOf, type ZipPart } from './zip-writer.js';

const entry = (offsets: readonly number[], dtype = 'F32', shape = [1]) => ({
  dtype,
  shape,
  data_offsets: offsets,
});

const SAFETENSORS: readonly (readonly [what: string, file: Buffer, message: RegExp])[] = [
  ['an empty file', Buffer.alloc(0), /MALFORMED.*0 bytes are too few/],
  [
    'a header beyond the end',
    safetensors({ w: entry([0, 4]) }, float32(1)).subarray(0, 20),
    /in a file of 20/,
  ],
  [
    'a tensor beyond the end',
    safetensors({ w: entry([0, 4]) }, Buffer.alloc(3)),
    /take 4 bytes and the file holds 3/,
  ],
  [
    'tensors that overlap',
    safetensors({ v: entry([0, 4]), w: entry([2, 6]) }, Buffer.alloc(6)),
    /w overlaps/,
  ],
  [
    'an unknown type',
    safetensors({ w: entry([0, 4], 'F31') }, Buffer.alloc(4)),
    /dtype "F31", which is not known/,
  ],
  [
    'a shape that lies',
    safetensors({ w: entry([0, 4], 'F32', [2 ** 40]) }, Buffer.alloc(4)),
    /of shape \[1099511627776\] has 4 bytes/,
  ],
  [
    'a NaN',
    safetensors({ w: entry([0, 8], 'F32', [2]) }, float32(1, NaN)),
    /NOT_FINITE.*holds NaN at position 1/,
  ],
  [
    'an infinity',
    safetensors({ w: entry([0, 4]) }, float32(-Infinity)),
    /NOT_FINITE.*-Infinity at position 0/,
  ],
  [
    'integers',
    safetensors({ w: entry([0, 4], 'I32') }, Buffer.alloc(4)),
    /TYPE_UNKNOWN.*w has elements of type I32/,
  ],
];

for (const [what, file, message] of SAFETENSORS) {
  test(`safetensors: ${what} is refused`, async () =>
    assert.match(await refusal('a.safetensors', file), message));
}

const tensor: PickledTensor = { name: 'w', key: '0', elements: 4, shape: [2, 2], strides: [2, 1] };
const four = { 0: float32(1, 2, 3, 4) };
const oneTensor = (changed: Partial<PickledTensor>) =>
  torchFile(stateDictPickle({ ...tensor, ...changed }), four);
const pickled = (...opcodes: readonly Buffer[]) =>
  torchFile(Buffer.concat([op.start, ...opcodes, op.stop]), four);
const command = [op.mark, op.text('touch /tmp/vitrail-was-called'), op.tuple, op.call];

const TORCH: readonly (readonly [what: string, file: Buffer, message: RegExp])[] = [
  ['a command', pickled(op.global('os', 'system'), ...command), /PICKLE_REFUSED.*asks for os\.system,/],
  ['a command of posix', pickled(op.global('posix', 'system'), ...command), /asks for posix\.system,/],
  ['a built-in', pickled(op.global('builtins', 'eval'), ...command), /asks for builtins\.eval,/],
  [
    'a global by name from the stack',
    pickled(op.text('os'), op.text('system'), Buffer.from([0x93])),
    /asks for os\.system,/,
  ],
  [
    'a global whose name is no text',
    pickled(op.mark, Buffer.from([0x85]), op.text('x'), Buffer.from([0x93])),
    /asks for a global without a name/,
  ],
  [
    'an allowed class that is called otherwise',
    pickled(op.global('torch', 'FloatStorage'), op.emptyTuple, op.call),
    /a call of torch\.FloatStorage/,
  ],
  [
    'a call of a text',
    pickled(op.text('os.system'), op.emptyTuple, op.call),
    /a call of something that is no function/,
  ],
  ['an opcode that makes objects', pickled(op.mark, Buffer.from('ios\nsystem\n')), /asks for opcode 0x69/],
  [
    'an object with a state',
    pickled(op.none, op.dict, op.build),
    /asks for an object with a state of its own/,
  ],
  ['an object elsewhere', pickled(op.text('other'), op.persistent), /asks for an object in another place/],
  ['an empty stack', pickled(op.setItem), /takes from an empty stack/],
  ['no mark', pickled(op.tuple), /its pickle has no mark/],
  ['a memo that was never stored', pickled(Buffer.from('h\x07')), /recalls 7, which it never stored/],
  ['items for no dictionary', pickled(op.none, op.text('a'), op.none, op.setItem), /fills no dictionary/],
  ['items for no list', pickled(op.none, op.none, Buffer.from('a')), /fills no list/],
  ['a number of 200 bytes', pickled(Buffer.from([0x8a, 200]), Buffer.alloc(200)), /a number of 200 bytes/],
  ['a text beyond the end', pickled(Buffer.from([0x58, 255, 255, 255, 255])), /its pickle ends too early/],
  ['no end', torchFile(Buffer.concat([op.start, op.dict]), four), /its pickle ends too early/],
  ['no tensors', pickled(op.dict), /it holds no dictionary of tensors/],
  ['a number alone', pickled(op.int(1)), /it holds no dictionary of tensors/],
  ['a shape beyond its storage', oneTensor({ shape: [2, 3] }), /w: it reaches to element 5 of 4/],
  ['an offset beyond its storage', oneTensor({ offset: 1 }), /reaches to element 5 of 4/],
  [
    'a shape of a billion by a step of 0',
    oneTensor({ shape: [2 ** 30], strides: [0] }),
    /more elements than its storage/,
  ],
  ['a negative offset', oneTensor({ offset: -1 }), /a call of torch\._utils\._rebuild_tensor_v2/],
  ['strides for another shape', oneTensor({ strides: [1] }), /a call of torch\._utils\._rebuild_tensor_v2/],
  [
    'elements that are not there',
    oneTensor({ elements: 5, shape: [5], strides: [1] }),
    /has 16 bytes, not 5 elements of type F32/,
  ],
  ['a storage that is missing', oneTensor({ key: '7' }), /its storage 7 is missing/],
  ['a storage of an unknown kind', oneTensor({ storage: 'QInt8Storage' }), /asks for torch\.QInt8Storage/],
  ['integers', oneTensor({ storage: 'IntStorage' }), /TYPE_UNKNOWN.*type I32/],
  [
    'a NaN',
    torchFile(stateDictPickle(tensor), { 0: float32(1, 2, NaN, 4) }),
    /NOT_FINITE.*NaN at position 2/,
  ],
  ['a bare pickle', Buffer.concat([op.start, op.stop]), /LEGACY_PICKLE.*torch\.save\(torch\.load/],
  ['no pickle', zipOf([{ name: 'model/version', packed: Buffer.from('3') }]), /it has no data\.pkl/],
  [
    'the other byte order',
    zipOf([
      { name: 'data.pkl', packed: stateDictPickle(tensor) },
      { name: 'byteorder', packed: Buffer.from('big') },
    ]),
    /its byte order is "big"/,
  ],
  [
    'a packed storage',
    zipOf([
      { name: 'data.pkl', packed: stateDictPickle(tensor) },
      { name: 'data/0', packed: deflateRawSync(four[0]), method: 8, bytes: 16 },
    ]),
    /w: its storage is packed/,
  ],
];

for (const [what, file, message] of TORCH) {
  test(`PyTorch: ${what} is refused`, async () => assert.match(await refusal('a.pth', file), message));
}

const array = npy('<f4', [2], float32(1, 2));
const archive = (part: Partial<ZipPart>, ...more: readonly ZipPart[]) =>
  zipOf([{ name: 'w.npy', packed: array, ...part }, ...more]);
const ofArray = (content: Uint8Array) => archive({ packed: content });
const zeros = Buffer.alloc(40 * 2 ** 20);
const bomb = deflateRawSync(Buffer.concat([npy('<f4', [10 * 2 ** 20], zeros)]));

const NUMPY: readonly (readonly [what: string, file: Buffer, message: RegExp])[] = [
  ['an empty file', Buffer.alloc(0), /MALFORMED.*does not end as a zip archive does/],
  ['a file without its end', archive({}).subarray(0, -5), /does not end as a zip archive does/],
  ['a file without its beginning', archive({}).subarray(10), /MALFORMED|UNREADABLE/],
  [
    'a bomb',
    archive({ packed: bomb, method: 8, bytes: 41943040 + array.length - 8 + 6 }),
    /would become 4194/,
  ],
  ['sizes that lie about a bomb', archive({ packed: bomb, method: 8, bytes: 1000 }), /MALFORMED.*w\.npy/],
  [
    'content shorter than it says',
    archive({ packed: deflateRawSync(array), method: 8, bytes: 500 }),
    /has \d+ bytes instead of 500/,
  ],
  [
    'content that does not inflate',
    archive({ packed: Buffer.alloc(9, 7), method: 8, bytes: 9 }),
    /MALFORMED.*entry w\.npy/,
  ],
  [
    'two entries at one place',
    archive({}, { name: 'v.npy', packed: array, headerAt: 0 }),
    /overlaps what comes after it/,
  ],
  ['two entries of one name', archive({}, { name: 'w.npy', packed: array }), /two entries called w\.npy/],
  ['an encrypted entry', archive({ flags: 1 }), /w\.npy is encrypted/],
  ['another method', archive({ method: 12 }), /packed by method 12/],
  ['a stored entry of two sizes', archive({ bytes: 9 }), /stored, with two sizes/],
  ['an entry beyond the end', archive({ bytes: 99999, packedBytes: 99999 }), /overlaps what comes after it/],
  ['an entry that is not there', archive({ headerAt: 1, packed: array }), /overlaps|is not at 1/],
  ['what is no array', ofArray(Buffer.from('hello, this is no array')), /w\.npy is not a NumPy array/],
  ['a short text', ofArray(Buffer.from('x')), /w\.npy is not a NumPy array/],
  [
    'another version',
    ofArray(Buffer.from('\x93NUMPY\x09\x00aaaaaaa', 'latin1')),
    /version 9 of NumPy's format/,
  ],
  [
    'a header beyond its end',
    ofArray(Buffer.from('\x93NUMPY\x01\x00\xff\xffaaa', 'latin1')),
    /a header of 65545 bytes/,
  ],
  ['a shape that lies', ofArray(npy('<f4', [3], float32(1, 2))), /of shape \[3\] has/],
  ['a shape beyond all numbers', ofArray(npy('<f4', [2 ** 50, 2 ** 50], float32(1))), /has the shape \[1125/],
  ['Python objects', ofArray(npy('|O', [1], float32(1))), /elements of type "\|O"/],
  ['a type of an inherited name', ofArray(npy('toString', [1], float32(1))), /elements of type "toString"/],
  [
    'no shape',
    ofArray(
      Buffer.from(npy('<f4', [1], float32(1)).toString('latin1').replace("'shape'", "'shapE'"), 'latin1'),
    ),
    /has no shape/,
  ],
  [
    'no type',
    ofArray(
      Buffer.from(npy('<f4', [1], float32(1)).toString('latin1').replace("'descr'", "'descR'"), 'latin1'),
    ),
    /has no type/,
  ],
  ['a NaN', ofArray(npy('<f4', [2], float32(1, NaN))), /NOT_FINITE/],
  ['a changed byte', archive({ crc: 7 }), /entry w\.npy has a wrong checksum/],
];

for (const [what, file, message] of NUMPY) {
  test(`NumPy: ${what} is refused`, async () => assert.match(await refusal('a.npz', file), message));
}
