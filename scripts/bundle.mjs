// Bundles the programs that src/host/programs.ts names, each with the packages that are plain JavaScript, into dist/src/program.
// Packages with native code, with WebAssembly or with state that two copies would not share stay apart.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OUTPUT = 'dist/src/program';

const OPTIONS = {
  entryPoints: ['src/cli.ts', 'src/worker/link/link-thread.ts', 'src/worker/data/loader-thread.ts'],
  entryNames: '[name]',
  outdir: OUTPUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.9',
  external: ['zeromq', 'sharp', '@tensorflow/*', 'onnxruntime-*'],
  // CommonJS packages ask for Node's own modules by require.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  sourcemap: true,
  sourcesContent: false,
  metafile: true,
  logLevel: 'warning',
};

/** The licences of the bundled packages, which ask that copies carry them. */
function licensesOf(inputs) {
  const packages = new Set(
    Object.keys(inputs).flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  return [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
}

/** @param watch whether to bundle again whenever a source changes, until the process ends */
export async function bundle({ watch = false } = {}) {
  if (existsSync(OUTPUT)) rmSync(OUTPUT, { recursive: true });
  // Setting up a clone loads this file before it has installed any package.
  const { context } = await import('esbuild');
  const bundler = await context(OPTIONS);
  const { metafile } = await bundler.rebuild();
  writeFileSync(join(OUTPUT, 'licenses.txt'), licensesOf(metafile.inputs).join(`\n${'-'.repeat(80)}\n\n`));
  if (watch) await bundler.watch();
  else await bundler.dispose();
}
