/** What the pages say of the code is true of it: files, links, variables and words. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name));
}

const PAGES = ['README.md', 'CONTRIBUTING.md', ...filesBelow('docs', /\.md$/)];
const SOURCES = ['src', 'native', 'scripts', 'test', 'bench', 'deploy', 'proto'].flatMap((folder) =>
  filesBelow(folder, /\.(ts|mjs|cjs|js|cc|cu|h|proto|sh|yml|json)$/).filter(
    (path) => !path.startsWith('native/build'),
  ),
);

/** A file that a page names: whole, or by the end of its path as pages shorten it. */
const NAMED = /`([\w./-]*[\w-]+\.(?:ts|mjs|cjs|cc|cu|h|proto))`/g;

for (const page of PAGES) {
  test(`${page} names no file that is not there`, () => {
    const text = readFileSync(page, 'utf8');
    const gone = [...text.matchAll(NAMED)]
      .map((match) => match[1]!)
      .filter((name) => !existsSync(name) && !SOURCES.some((path) => path.endsWith(`/${name}`)));
    assert.deepEqual(gone, []);
  });

  test(`${page} has no dead link to another page`, () => {
    const text = readFileSync(page, 'utf8');
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
    const dead = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(dirname(page), link)));
    const named = [...text.matchAll(/`(docs\/[\w./-]+\.md|[A-Z]+\.md)`/g)].map((match) => match[1]!);
    assert.deepEqual([...dead, ...named.filter((path) => !existsSync(path))], []);
  });
}

/** Environment variables of the project, where they are read or passed on; macros of C++ have the same prefix. */
function variablesOfTheCode(): Set<string> {
  const found = new Set<string>();
  for (const folder of ['src', 'scripts', 'bench', 'deploy', 'bin', 'native']) {
    for (const path of filesBelow(folder, /(\.(ts|mjs|sh|yml|cc|h|cu)|vitrail|\.env\.example)$/)) {
      if (path.startsWith('native/build/') || path === 'bin/vitrail.js') continue;
      const text = readFileSync(path, 'utf8');
      const pattern = path.startsWith('native/src')
        ? /(?:getenv|variable)\("(VITRAIL_[A-Z_]*[A-Z])"/g
        : /(?<!-D|[A-Z_])(VITRAIL_[A-Z_]*[A-Z])\b/g;
      for (const match of text.matchAll(pattern)) found.add(match[1]!);
    }
  }
  return found;
}

test('docs/debugging.md lists every environment variable of the code, and no other', () => {
  const page = readFileSync('docs/debugging.md', 'utf8');
  const listed = [...page.matchAll(/^\| `(VITRAIL_[A-Z_]+)`/gm)].map((match) => match[1]!);
  assert.deepEqual([...listed].sort(), [...variablesOfTheCode()].sort());
});

test('every term of the glossary occurs in the code', () => {
  const page = readFileSync('docs/glossary.md', 'utf8');
  const terms = [...page.matchAll(/^\| `([^`]+)`/gm)].map((match) => match[1]!);
  assert.ok(terms.length > 30, `the glossary has ${terms.length} terms`);
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[\s_-]/g, '');
  const code = ['src', 'native/src', 'proto'].flatMap((folder) =>
    filesBelow(folder, /\.(ts|cc|cu|h|proto)$/),
  );
  const text = plain(code.map((path) => readFileSync(path, 'utf8')).join('\n'));
  assert.deepEqual(
    terms.filter((term) => !text.includes(plain(term))),
    [],
  );
});
