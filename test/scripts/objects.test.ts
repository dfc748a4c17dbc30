/** Compiled objects are known by what they follow from, wherever it lies, and are shared between builds of a machine. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';

interface Task {
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly source: string;
}

/** What the builds use, which is no part of dist/. */
interface Objects {
  readonly objectDigests: () => (task: Task) => string;
  readonly takeShared: (names: readonly string[], object: string) => boolean;
  readonly share: (object: string) => void;
}

const { objectDigests, takeShared, share } = (await import(
  pathToFileURL(resolve('native/objects.mjs')).href
)) as Objects;

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-objects-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A source that includes a header, which includes another, and one that nobody includes. */
const FILES: Readonly<Record<string, string>> = {
  'sum.cc': '#include "base/sum.h"\n#include <vector>\nint one() { return kOne; }\n',
  'base/sum.h': '#pragma once\n  # include "../one.h"\n',
  'one.h': 'constexpr int kOne = 1;\n',
  'other.h': 'constexpr int kOther = 2;\n',
  'api/api.h': '#define API 1\n',
};

/** The digest of such a source's object, in a folder of its own. */
function digestWith(t: TestContext, changed: Readonly<Record<string, string>> = {}, flag = '-O2'): string {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(Object.assign({}, FILES, changed))) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const flags = [flag, `-isystem${join(folder, 'api')}`];
  return objectDigests()({ compiler: process.execPath, flags, source: join(folder, 'sum.cc') });
}

test('the same sources in another folder have the same object', (t) => {
  assert.equal(digestWith(t), digestWith(t));
  assert.match(digestWith(t), /^[0-9a-f]{16}$/);
});

test('source, included headers, headers of the system folder and flags make another object; another header does not', (t) => {
  const original = digestWith(t);
  for (const name of ['sum.cc', 'base/sum.h', 'one.h', 'api/api.h']) {
    assert.notEqual(digestWith(t, { [name]: `${FILES[name]!}// changed\n` }), original, name);
  }
  assert.notEqual(digestWith(t, {}, '-O3'), original);
  assert.equal(digestWith(t, { 'other.h': '' }), original);
});

test('an object that one build gives is taken by another, whole, by any of its names', (t) => {
  const folder = temporaryFolder(t);
  const before = process.env['VITRAIL_OBJECTS'];
  t.after(() => {
    if (before === undefined) delete process.env['VITRAIL_OBJECTS'];
    else process.env['VITRAIL_OBJECTS'] = before;
  });
  process.env['VITRAIL_OBJECTS'] = join(folder, 'shared');
  const [made, taken] = [join(folder, 'a1-sum.cc.o'), join(folder, 'taken.o')];
  assert.equal(takeShared(['a1-sum.cc.o'], taken), false);
  writeFileSync(made, 'an object');
  share(made);
  assert.equal(takeShared(['b2-sum.cc.o', 'a1-sum.cc.o'], taken), true);
  assert.equal(readFileSync(taken, 'utf8'), 'an object');
  assert.deepEqual(readdirSync(join(folder, 'shared')), ['a1-sum.cc.o']);

  process.env['VITRAIL_OBJECTS'] = '';
  assert.equal(takeShared(['a1-sum.cc.o'], join(folder, 'none.o')), false);
});
