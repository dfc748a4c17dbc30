// Compiled objects by the digest of all that they follow from: source, included headers, flags and compiler. No path is
// part of it, so a folder of objects serves every clone and every installation of a machine.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

const INCLUDE = /^[ \t]*#[ \t]*include[ \t]*"([^"]+)"/gm;
const SYSTEM_FOLDER = /^-isystem(.+)$/;

/** Of the texts, each apart from the next. */
export function digestOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Remembers what `compute` gives for each key. */
function remembered(compute) {
  const known = new Map();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    return known.get(key);
  };
}

/**
 * What digests are made of, each file and compiler read once.
 * Headers behind an #if count as well: an object may be compiled too often, and never too rarely.
 */
export function objectDigests() {
  const textOf = remembered((path) => readFileSync(path, 'utf8'));
  const includesOf = remembered((path) =>
    [...textOf(path).matchAll(INCLUDE)]
      .map(([, name]) => resolve(dirname(path), name))
      .filter((included) => existsSync(included)),
  );
  // nvcc's last line tells its versions apart, other compilers' first.
  const versionOf = remembered((compiler) => spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout);
  const folderDigest = remembered((folder) => {
    const headers = readdirSync(folder).filter((name) => name.endsWith('.h'));
    return digestOf(headers.sort().flatMap((name) => [name, textOf(join(folder, name))]));
  });

  /** The file and all that it includes by their names in quotes, in the order in which they are met. */
  const withIncludes = (path) => {
    const met = new Set([path]);
    for (const file of met) for (const included of includesOf(file)) met.add(included);
    return [...met];
  };
  const withoutPath = (flag) => {
    const folder = SYSTEM_FOLDER.exec(flag)?.[1];
    return folder === undefined ? flag : `-isystem ${folderDigest(folder)}`;
  };
  return ({ compiler, flags, source }) =>
    digestOf([
      versionOf(compiler),
      ...flags.map(withoutPath),
      ...withIncludes(source).flatMap((path) => [basename(path), textOf(path)]),
    ]);
}

/** The folder of objects that this machine's builds share; undefined where there is none. */
const sharedFolder = () => process.env.VITRAIL_OBJECTS || undefined;

/** Whole or not at all, whoever else writes it. */
function copyWhole(from, to) {
  const part = `${to}.${process.pid}.part`;
  try {
    copyFileSync(from, part);
    renameSync(part, to);
  } finally {
    rmSync(part, { force: true });
  }
}

/** Takes an object from the shared folder, by the first of its `names` that is there. @returns whether there was one */
export function takeShared(names, object) {
  const folder = sharedFolder();
  const name = folder && names.find((one) => existsSync(join(folder, one)));
  if (!name) return false;
  copyWhole(join(folder, name), object);
  return true;
}

/** Gives an object to the other builds of this machine; a shared folder that cannot be written is no reason to fail. */
export function share(object) {
  const folder = sharedFolder();
  if (folder === undefined) return;
  try {
    mkdirSync(folder, { recursive: true });
    copyWhole(object, join(folder, basename(object)));
  } catch (error) {
    console.error(`VITRAIL_OBJECTS: ${error.message}`);
  }
}
