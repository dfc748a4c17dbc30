import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { VitrailError } from '../../../src/errors/errors.js';
import { decodeImage } from '../../../src/worker/data/image-decoder.js';
import type { RgbImage } from '../../../src/worker/data/rgb-image.js';
import { knownDifferences, pillowCases, type PillowCase } from './pillow-cases.js';
import { temporaryFolder } from './temporary-files.js';

const CASES = pillowCases();
/** So many that a broken one always has neighbours. */
const AT_ONCE = 24;

type Outcome = RgbImage | { readonly reason: string };

async function outcomeOf(path: string): Promise<Outcome> {
  try {
    return await decodeImage(path);
  } catch (thrown) {
    if (!(thrown instanceof VitrailError) || thrown.code !== 'DATA_BROKEN_IMAGE') throw thrown;
    return { reason: thrown.problem.replace(path, 'FILE') };
  }
}

/** The outcomes of `cases`, `atOnce` decoded at a time. */
async function outcomes(dir: string, cases: readonly PillowCase[], atOnce: number): Promise<Outcome[]> {
  const found = new Array<Outcome>(cases.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length) {
      const i = next++;
      const path = join(dir, String(i));
      await writeFile(path, cases[i]!.bytes);
      found[i] = await outcomeOf(path);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return found;
}

/** How `ours` differs from Pillow's; null if it does not. */
function difference(
  { read }: PillowCase,
  ours: Outcome,
): 'only we refuse' | 'only Pillow refuses' | 'pixels' | null {
  if ('reason' in ours) return read === null ? null : 'only we refuse';
  if (read === null) return 'only Pillow refuses';
  assert.equal(ours.data.length, ours.width * ours.height * 3);
  const digest = createHash('sha256').update(ours.data).digest('hex').slice(0, 16);
  const equal = digest === read.sha256 && ours.width === read.size[0] && ours.height === read.size[1];
  return equal ? null : 'pixels';
}

async function differences(dir: string, cases: readonly PillowCase[]): Promise<string[]> {
  const found = await outcomes(dir, cases, AT_ONCE);
  return cases.flatMap((each, i) => {
    const how = difference(each, found[i]!);
    return how === null ? [] : [`${how}: ${each.id}`];
  });
}

for (const [what, whole] of [
  ['whole', true],
  ['damaged', false],
] as const) {
  test(`${what} files are read or refused as by Pillow, to the same pixels, but for the differences of docs/images.md`, async (t) => {
    const cases = CASES.filter((each) => each.whole === whole);
    assert.ok(cases.length > 100);
    const expected = knownDifferences().filter((line) => line.includes(' [[') !== whole);
    assert.deepEqual((await differences(await temporaryFolder(t), cases)).sort(), [...expected].sort());
  });
}

test('pixels that another rounding makes differ by one at most', async (t) => {
  const cases = CASES.filter(({ pixels }) => pixels !== undefined);
  assert.equal(cases.length, 2);
  for (const [i, ours] of (await outcomes(await temporaryFolder(t), cases, 1)).entries()) {
    const theirs = inflateSync(Buffer.from(cases[i]!.pixels ?? '', 'base64'));
    assert.ok('data' in ours && ours.data.length === theirs.length);
    assert.ok(ours.data.every((value, at) => Math.abs(value - theirs[at]!) <= 1));
  }
});

test('the reason of a broken file is its own, the same alone and beside others, in every order', async (t) => {
  const dir = await temporaryFolder(t);
  const broken = CASES.filter(({ read, whole }) => read === null && !whole).filter((_, i) => i % 4 === 0);
  const alone = await outcomes(dir, broken, 1);
  assert.ok(new Set(alone.map((each) => ('reason' in each ? each.reason : ''))).size > 20);
  assert.deepEqual(await outcomes(dir, broken, AT_ONCE), alone);
  assert.deepEqual(await outcomes(dir, [...broken].reverse(), AT_ONCE), [...alone].reverse());
});
