// Builds the content of the package from a clean tree: dist/src with declarations. Kernels are compiled at
// installation.
import { rmSync } from 'node:fs';
import { compile } from './build.mjs';

// Files of an earlier version must not be shipped.
for (const path of ['dist/src', 'dist/.tsbuildinfo']) rmSync(path, { recursive: true, force: true });
await compile('tsconfig.package.json');
