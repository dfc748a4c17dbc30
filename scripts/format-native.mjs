// Formats native/src by .clang-format: node scripts/format-native.mjs [--check]
// The formatter is clang-format as WebAssembly. So every machine has the same version and gets the same result, and nothing
// has to be installed besides the packages.
import { format } from '@wasm-fmt/clang-format';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFiles, SOURCES } from '../native/compile.mjs';

const onlyCheck = process.argv.includes('--check');
const style = readFileSync('.clang-format', 'utf8');
const others = [];
for (const name of ['.h', '.cc', '.cu'].flatMap(sourceFiles)) {
  const path = join(SOURCES, name);
  const text = readFileSync(path, 'utf8');
  const formatted = format(text, 'source.cc', style);
  if (formatted === text) continue;
  others.push(join('native/src', name));
  if (!onlyCheck) writeFileSync(path, formatted);
}
if (onlyCheck && others.length > 0) {
  console.error(`not formatted by .clang-format (npm run format does it): ${others.join(', ')}`);
  process.exitCode = 1;
}
