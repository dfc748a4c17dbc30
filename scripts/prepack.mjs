// What a package ships, from a clean tree: dist/src with declarations. Kernels are compiled where it is installed.
import { rmSync } from 'node:fs';
import { compile } from './build.mjs';

// A file of a version before must not be shipped.
for (const path of ['dist/src', 'dist/.tsbuildinfo']) rmSync(path, { recursive: true, force: true });
await compile('tsconfig.package.json');
