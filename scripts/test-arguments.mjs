// Parses the arguments of `npm run test:only`. Pure, so that a test can check it.
import { isAbsolute, normalize, relative } from 'node:path/posix';

export const USAGE = `npm run test:only -- [FILE ...] [--name TEXT ...] [--watch]

FILE     a test file, a folder, or a part of their path: test/run/model, weight-digest.test.ts, journal
--name   only tests whose name contains TEXT, in small or capital letters; /TEXT/ is a regular expression
--watch  compiles and runs again what a change of a file affects
Without FILE all tests run but those of test/long, which take many minutes.`;

/** Whether a test runs only when it is asked for, by the path of its source or compiled file. */
export function isLong(path) {
  return /^(dist\/)?test\/long\//.test(path);
}

/** How many similar files a message lists. */
const SIMILAR = 5;

/** @returns {{ asked: string[], names: string[], watch: boolean, help: boolean } | { problem: string }} */
export function parseTestArguments(argv) {
  const parsed = { asked: [], names: [], watch: false, help: false };
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at];
    if (argument === '--watch') parsed.watch = true;
    else if (argument === '--help' || argument === '-h') parsed.help = true;
    else if (argument === '--name' || argument.startsWith('--name=')) {
      const text = argument === '--name' ? argv[++at] : argument.slice('--name='.length);
      if (text === undefined || text === '') return { problem: '--name needs a part of the name of a test' };
      parsed.names.push(text);
    } else if (argument.startsWith('-')) {
      return { problem: `there is no option ${argument}; there are --name TEXT and --watch` };
    } else parsed.asked.push(argument);
  }
  return parsed;
}

/**
 * The pattern for Node's test runner of a --name: a text matches itself, and /text/flags is a regular
 * expression.
 */
export function namePattern(text) {
  const literal = /^\/(.+)\/([a-z]*)$/.exec(text);
  if (literal !== null) return new RegExp(literal[1], literal[2]);
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'i');
}

/** The path of the source below `root`, also for a compiled file below dist/. */
function sourcePath(asked, root) {
  const local = isAbsolute(asked) ? relative(root, asked) : asked;
  const path = normalize(local).replace(/\/$/, '');
  return path.replace(/^dist\/(test\/.*?)(\.js)?$/, (_, rest, js) =>
    js === undefined ? rest : `${rest}.ts`,
  );
}

/**
 * The files that a FILE means: the file itself, else all files in that folder, else those with it in their
 * path.
 */
function matches(asked, files, root) {
  const path = sourcePath(asked, root);
  if (path === '.' || path === 'test') return files;
  if (files.includes(path)) return [path];
  const below = files.filter((file) => file.startsWith(`${path}/`) || file.startsWith(`test/${path}/`));
  return below.length > 0 ? below : files.filter((file) => file.includes(path));
}

function wordsOf(path) {
  return new Set(path.split(/[-./]/).filter((word) => !['', 'test', 'ts', 'js'].includes(word)));
}

/** Suggestions for a path that matches nothing: files that share words with it, else the folders. */
function offer(path, files) {
  const words = wordsOf(path);
  const shared = (file) => [...wordsOf(file)].filter((word) => words.has(word)).length;
  const similar = files.filter((file) => shared(file) > 0).sort((a, b) => shared(b) - shared(a));
  if (similar.length > 0) return `similar files: ${similar.slice(0, SIMILAR).join(', ')}`;
  const folders = new Set(files.map((file) => file.split('/').slice(0, 2).join('/')));
  return `there are ${[...folders].join(', ')}`;
}

/**
 * The test files to run, sorted, each once.
 * @param {string[]} asked the FILEs of the command line; none means all but the long ones
 * @param {string[]} files sources of all tests, relative to `root`
 * @returns {{ chosen: string[] } | { problem: string }}
 */
export function chooseTestFiles(asked, files, root) {
  if (asked.length === 0) return { chosen: files.filter((file) => !isLong(file)) };
  const chosen = new Set();
  for (const one of asked) {
    const found = matches(one, files, root);
    if (found.length === 0) {
      return { problem: `no test file matches ${one}; ${offer(sourcePath(one, root), files)}` };
    }
    for (const file of found) chosen.add(file);
  }
  return { chosen: [...chosen].sort() };
}
