/** The simulated disk does what a real one does, and after a crash what a real one may. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolders, writeFileAtomic } from '../../src/host/atomic-file.js';
import { nodeDisk, type Disk, type DiskFile } from '../../src/host/disk.js';
import { thisProcess } from '../../src/host/process.js';
import { SimulatedDisk } from '../../src/simulation/simulated-disk.js';
import { DrivenTime, seeded } from './driven-time.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function simulated(seed = 1) {
  const time = new DrivenTime();
  const disk = new SimulatedDisk(seeded(seed), time.clock);
  return { time, disk, at: (process: unknown) => disk.for(process) };
}

/** Opens `path`, does `work` with the file, and closes it. */
async function withFile<T>(
  disk: Disk,
  path: string,
  mode: Parameters<Disk['open']>[1],
  work: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const file = await disk.open(path, mode);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

/** A folder `d` with a file `d/f` of three bytes, an empty folder `e`, a file `g`. */
async function prepare(disk: Disk, root: string): Promise<void> {
  await disk.makeFolder(`${root}/d`);
  await disk.makeFolder(`${root}/e`);
  for (const name of ['d/f', 'g']) {
    await withFile(disk, `${root}/${name}`, 'w', async (file) => file.append(bytes('abc')));
  }
}

type Case = (disk: Disk, root: string) => Promise<unknown>;

async function readPiece(disk: Disk, path: string, position: number): Promise<string> {
  const into = new Uint8Array(2);
  const read = await withFile(disk, path, 'r', async (file) => file.readAt(into, position));
  return `${read}: ${Buffer.from(into.subarray(0, read)).toString()}`;
}

const content: Case = async (disk, root) => disk.readText(`${root}/g`);

/** What is asked of both disks; the content of `g` and the names are compared after each. */
const CASES: Readonly<Record<string, Case>> = {
  'a text is read': content,
  'a text of nothing': async (disk, root) => disk.readText(`${root}/none`),
  'a text of a folder': async (disk, root) => disk.readText(`${root}/d`),
  'a text below a file': async (disk, root) => disk.readText(`${root}/g/x`),
  'the names of a file': async (disk, root) => disk.list(`${root}/g`),
  'the names of nothing': async (disk, root) => disk.list(`${root}/none`),
  'what is there': async (disk, root) =>
    Promise.all(['d', 'g', 'none', 'g/x', 'none/x', ''].map(async (name) => disk.kindOf(`${root}/${name}`))),
  'to read nothing': async (disk, root) => disk.open(`${root}/none`, 'r'),
  'to read a folder': async (disk, root) => readPiece(disk, `${root}/d`, 0),
  'to write a folder': async (disk, root) => disk.open(`${root}/d`, 'w'),
  'to append to a folder': async (disk, root) => disk.open(`${root}/d`, 'a'),
  'to write into nothing': async (disk, root) => disk.open(`${root}/none/x`, 'w'),
  'to write below a file': async (disk, root) => disk.open(`${root}/g/x`, 'w'),
  'a new file where there is one': async (disk, root) => disk.open(`${root}/g`, 'wx'),
  'a new file to append to where there is a folder': async (disk, root) => disk.open(`${root}/d`, 'ax'),
  'a file written anew': async (disk, root) => {
    await withFile(disk, `${root}/g`, 'w', async (file) => file.append(bytes('x')));
  },
  'a file that is appended to': async (disk, root) =>
    withFile(disk, `${root}/g`, 'a', async (file) => {
      await file.append(bytes('de'));
      await file.append(bytes('f'));
      return file.size();
    }),
  'a file that is written in its middle': async (disk, root) =>
    withFile(disk, `${root}/new`, 'wx', async (file) => {
      await file.writeAt(bytes('abcdef'), 0);
      await file.writeAt(bytes('XY'), 2);
      await file.sync();
      await file.datasync();
      return disk.readText(`${root}/new`);
    }),
  'a file that is written behind its end': async (disk, root) =>
    withFile(disk, `${root}/new`, 'w', async (file) => {
      await file.writeAt(bytes('x'), 3);
      return disk.readText(`${root}/new`);
    }),
  'a file that is cut': async (disk, root) =>
    withFile(disk, `${root}/g`, 'a', async (file) => {
      await file.truncate(1);
      await file.append(bytes('!'));
    }),
  'a file that is made longer': async (disk, root) =>
    withFile(disk, `${root}/g`, 'a', async (file) => {
      await file.truncate(1);
      await file.truncate(4);
    }),
  'a piece of a file': async (disk, root) => readPiece(disk, `${root}/g`, 1),
  'a piece at the end of a file': async (disk, root) => readPiece(disk, `${root}/g`, 2),
  'a piece behind the end of a file': async (disk, root) => readPiece(disk, `${root}/g`, 9),
  'what is open to read is written': async (disk, root) =>
    withFile(disk, `${root}/g`, 'r', async (file) => file.append(bytes('x'))),
  'what is open to read is cut': async (disk, root) =>
    withFile(disk, `${root}/g`, 'r', async (file) => file.truncate(0)),
  'what is open to write is read': async (disk, root) =>
    withFile(disk, `${root}/g`, 'a', async (file) => file.readAt(new Uint8Array(1), 0)),
  'a closed file is written': async (disk, root) => {
    const file = await disk.open(`${root}/g`, 'a');
    await file.close();
    await file.close();
    await file.append(bytes('x'));
  },
  'a closed file is synced': async (disk, root) => {
    const file = await disk.open(`${root}/g`, 'a');
    await file.close();
    await file.sync();
  },
  'a file that was removed is written on': async (disk, root) =>
    withFile(disk, `${root}/g`, 'a', async (file) => {
      await disk.removeFile(`${root}/g`);
      await file.append(bytes('de'));
      return file.size();
    }),
  'a file that has been replaced is written on': async (disk, root) =>
    withFile(disk, `${root}/g`, 'a', async (file) => {
      await disk.rename(`${root}/d/f`, `${root}/g`);
      await file.append(bytes('de'));
      return file.size();
    }),
  'a file over another': async (disk, root) => disk.rename(`${root}/d/f`, `${root}/g`),
  'a file over itself': async (disk, root) => disk.rename(`${root}/g`, `${root}/g`),
  'a file over a folder': async (disk, root) => disk.rename(`${root}/g`, `${root}/e`),
  'a folder over a file': async (disk, root) => disk.rename(`${root}/e`, `${root}/g`),
  'a folder over an empty one': async (disk, root) => disk.rename(`${root}/d`, `${root}/e`),
  'a folder over a full one': async (disk, root) => disk.rename(`${root}/e`, `${root}/d`),
  'a folder into itself': async (disk, root) => disk.rename(`${root}/d`, `${root}/d/x`),
  'nothing under a new name': async (disk, root) => disk.rename(`${root}/none`, `${root}/x`),
  'a file into nothing': async (disk, root) => disk.rename(`${root}/g`, `${root}/none/x`),
  'a folder where there is one': async (disk, root) => disk.makeFolder(`${root}/d`),
  'a folder where there is a file': async (disk, root) => disk.makeFolder(`${root}/g`),
  'a folder in nothing': async (disk, root) => disk.makeFolder(`${root}/none/x`),
  'a folder in a file': async (disk, root) => disk.makeFolder(`${root}/g/x`),
  'a file is removed': async (disk, root) => disk.removeFile(`${root}/g`),
  'nothing is removed as a file': async (disk, root) => disk.removeFile(`${root}/none`),
  'a folder is removed as a file': async (disk, root) => disk.removeFile(`${root}/d`),
  'an empty folder is removed': async (disk, root) => disk.removeEmptyFolder(`${root}/e`),
  'a full folder is removed as empty': async (disk, root) => disk.removeEmptyFolder(`${root}/d`),
  'a file is removed as a folder': async (disk, root) => disk.removeEmptyFolder(`${root}/g`),
  'nothing is removed as a folder': async (disk, root) => disk.removeEmptyFolder(`${root}/none`),
  'all of a folder is removed': async (disk, root) => disk.removeAll(`${root}/d`),
  'all of a file is removed': async (disk, root) => disk.removeAll(`${root}/g`),
  'all of nothing is removed': async (disk, root) => disk.removeAll(`${root}/none`),
  'a folder is synced': async (disk, root) => disk.syncFolder(`${root}/d`),
  'nothing is synced': async (disk, root) => disk.syncFolder(`${root}/none`),
  'folders are made, and those above them': async (disk, root) => [
    await makeFolders(disk, `${root}/a/b/c`),
    await makeFolders(disk, `${root}/a/b`),
  ],
  'a file is replaced at once': async (disk, root) =>
    writeFileAtomic({ disk, process: thisProcess }, `${root}/g`, ['new', bytes('!')]),
  'a folder is not replaced by a file': async (disk, root) =>
    writeFileAtomic({ disk, process: thisProcess }, `${root}/d`, 'x'),
};

/** What `work` comes to on a disk: its result or its code, and what is there afterwards. */
async function outcome(disk: Disk, root: string, work: Case): Promise<unknown> {
  await prepare(disk, root);
  const result = await work(disk, root).then(
    (value) => ({ value }),
    (error: unknown) => ({ code: (error as NodeJS.ErrnoException).code }),
  );
  const names = async (folder: string): Promise<readonly string[]> => [...(await disk.list(folder))].sort();
  const below = (await disk.kindOf(`${root}/d`)) === 'folder' ? await names(`${root}/d`) : [];
  const text = await content(disk, root).catch((error: unknown) => (error as NodeJS.ErrnoException).code);
  return { result, names: await names(root), below, text };
}

for (const [name, work] of Object.entries(CASES)) {
  test(`both disks answer the same: ${name}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'vitrail-disk-'));
    t.after(() => rmSync(root, { recursive: true }));
    const { time, at } = simulated();
    const view = at('a process');
    await time.during(view.makeFolder('/run'));
    const real = await outcome(nodeDisk, root, work);
    assert.deepEqual(await time.during(outcome(view, '/run', work)), real);
  });
}

test('what is synced survives a power loss, and of what is appended after it a beginning', async () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 60; seed++) {
    const { time, disk, at } = simulated(seed);
    const work = async (): Promise<void> => {
      const file = await at('before').open('/f', 'a');
      await file.append(bytes('durable'));
      await file.sync();
      await at('before').syncFolder('/');
      await file.append(bytes('one'));
      await file.append(bytes('two'));
    };
    await time.during(work());
    disk.crash();
    const text = await time.during(at('after').readText('/f'));
    assert.ok('durableonetwo'.startsWith(text) && text.startsWith('durable'), text);
    lengths.add(text.length);
  }
  assert.equal(lengths.size, 7);
});

test('names that no folder sync has forced to the disk come through a power loss in any selection', async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const { time, disk, at } = simulated(seed);
    const work = async (): Promise<void> => {
      await withFile(at('before'), '/old', 'w', async (file) => file.sync());
      await at('before').syncFolder('/');
      await at('before').rename('/old', '/new');
      await at('before').makeFolder('/folder');
    };
    await time.during(work());
    disk.crash();
    seen.add([...(await time.during(at('after').list('/')))].sort().join(' '));
  }
  assert.deepEqual([...seen].sort(), ['folder new', 'folder old', 'new', 'old']);
});

test('a process that ends loses nothing that was written, and its append under way is whole, torn at any byte or not there', async () => {
  const ends = new Set<string>();
  for (let seed = 0; seed < 150; seed++) {
    const { time, disk, at } = simulated(seed);
    let told = false;
    const file = await time.during(at('dead').open('/f', 'a'));
    await time.during(file.append(bytes('written ')));
    void file.append(bytes('torn')).then(() => {
      told = true;
    });
    disk.freeze('dead');
    void at('dead')
      .removeFile('/f')
      .then(() => assert.fail('it is dead'));
    ends.add(await time.during(at('alive').readText('/f')));
    assert.equal(told, false);
  }
  const parts = ['', 't', 'to', 'tor', 'torn'];
  assert.deepEqual(
    [...ends].sort(),
    parts.map((part) => `written ${part}`),
  );
});

test('an append under way on a full disk is not there when its process ends, or as far as there was room', async () => {
  const ends = new Set<string>();
  for (let seed = 0; seed < 60; seed++) {
    const { time, disk, at } = simulated(seed);
    const file = await time.during(at('dead').open('/f', 'a'));
    disk.room = 1;
    void file.append(bytes('torn'));
    disk.freeze('dead');
    ends.add(await time.during(at('alive').readText('/f')));
  }
  assert.deepEqual([...ends].sort(), ['', 't']);
});

test('a suspended process has done what it had begun, and learns of it when it goes on', async () => {
  const { time, disk, at } = simulated();
  const told: string[] = [];
  void at('sleeper')
    .makeFolder('/a')
    .then(() => told.push('made'));
  disk.suspend('sleeper');
  void at('sleeper')
    .makeFolder('/b')
    .then(() => told.push('made as well'));
  await time.drive(Infinity);
  assert.deepEqual([await time.during(at('other').list('/')), told], [['a'], []]);
  disk.resume('sleeper');
  await time.drive(Infinity);
  assert.deepEqual(
    [await time.during(at('other').list('/')), told],
    [
      ['a', 'b'],
      ['made', 'made as well'],
    ],
  );
});

test('a full disk takes a part of an append, and what is removed makes room', async () => {
  const { time, disk, at } = simulated();
  const view = at('a process');
  await time.during(withFile(view, '/ballast', 'w', async (file) => file.append(bytes('12345'))));
  disk.room = 2;
  const file = await time.during(view.open('/f', 'a'));
  await assert.rejects(time.during(file.append(bytes('abcdef'))), { code: 'ENOSPC' });
  assert.equal(await time.during(view.readText('/f')), 'ab');
  await time.during(view.removeFile('/ballast'));
  await time.during(file.append(bytes('cdef')));
  assert.equal(await time.during(view.readText('/f')), 'abcdef');
});

test('what a failed sync was to bring to the disk is read as before, and gone after a power loss', async () => {
  const { time, disk, at } = simulated();
  const view = at('before');
  const file = await time.during(view.open('/f', 'a'));
  await time.during(view.syncFolder('/'));
  await time.during(file.append(bytes('one ')));
  disk.failNext('sync', 'EIO');
  await assert.rejects(time.during(file.sync()), { code: 'EIO' });
  await time.during(file.append(bytes('two')));
  await time.during(file.sync());
  assert.equal(await time.during(view.readText('/f')), 'one two');
  disk.crash();
  assert.equal(await time.during(at('after').readText('/f')), '\0\0\0\0two');
});

test('a failed rename changes nothing', async () => {
  const { time, disk, at } = simulated();
  const view = at('a process');
  await time.during(view.makeFolder('/a'));
  disk.failNext('rename', 'EIO');
  await assert.rejects(time.during(view.rename('/a', '/b')), { code: 'EIO' });
  assert.deepEqual(await time.during(view.list('/')), ['a']);
});

test('operations take virtual time, those on one file follow one another, others overtake', async () => {
  const { time, disk, at } = simulated();
  const view = at('a process');
  const file = await time.during(view.open('/f', 'a'));
  const order: string[] = [];
  const note = (name: string) => (): void => void order.push(name);
  const startMs = time.nowMs;
  const letters = Array.from('abcdefgh').map(async (letter) => file.append(bytes(letter)).then(note(letter)));
  const other = view.makeFolder('/x').then(note('folder'));
  await time.during(Promise.all([...letters, other]));
  assert.equal(await time.during(view.readText('/f')), 'abcdefgh');
  assert.equal(order.filter((name) => name !== 'folder').join(''), 'abcdefgh');
  assert.ok(order.indexOf('folder') < 7, order.join());
  assert.ok(time.nowMs - startMs > 8 * 0.1);
  disk.slowMs = 500;
  const slowMs = time.nowMs;
  await time.during(view.list('/'));
  assert.ok(time.nowMs - slowMs > 500);
});

test('the same seed leaves the same, another leaves something else', async () => {
  const left = async (seed: number): Promise<string> => {
    const { time, disk, at } = simulated(seed);
    const work = async (): Promise<void> => {
      for (const name of 'abcdefgh') {
        await withFile(at('p'), `/${name}`, 'w', async (file) => file.append(bytes('content')));
      }
    };
    void work();
    await time.drive(7);
    disk.crash();
    const names = await time.during(at('after').list('/'));
    const texts = [];
    for (const name of names) texts.push(await time.during(at('after').readText(`/${name}`)));
    return JSON.stringify([names, texts, time.nowMs]);
  };
  assert.equal(await left(3), await left(3));
  assert.notEqual(await left(3), await left(4));
});
