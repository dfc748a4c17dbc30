// The compiled test files below dist/test, sorted. (Node 20's runner takes no patterns.)
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** @param {string} area folder below dist/test, or '' for all */
export function testFiles(area = '') {
  const folder = join('dist/test', area);
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
    .sort();
}
