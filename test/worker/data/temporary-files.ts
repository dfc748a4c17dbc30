/** Files and small images for tests, in temporary folders that go away with the test. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import sharp, { type Sharp } from 'sharp';

export async function temporaryFolder(context: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'vitrail-data-'));
  context.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes `files` (path to content) below `dir`. */
export async function writeFiles(
  dir: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

/** Smooth RGB pixels that differ with `phase`: shape [height, width, 3]. */
export function pixelsOf(width: number, height: number, phase = 0): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++)
        pixels[(y * width + x) * 3 + c] = (x * 5 + y * 3 + c * 60 + phase * 29) % 256;
    }
  }
  return pixels;
}

export function picture(width: number, height: number, phase = 0): Sharp {
  return sharp(pixelsOf(width, height, phase), { raw: { width, height, channels: 3 } });
}

/** A data set of PNG files, `perClass` a class and split, whose sizes and pixels differ. */
export async function writeDataset(
  dir: string,
  classes: readonly string[],
  perClass: { readonly train: number; readonly test: number },
): Promise<void> {
  for (const split of ['train', 'test'] as const) {
    for (const [label, name] of classes.entries()) {
      for (let i = 0; i < perClass[split]; i++) {
        const phase = label * 100 + i * 7 + (split === 'test' ? 3 : 0);
        const image = picture(20 + ((i * 3) % 7), 16 + ((i * 5) % 11), phase);
        await writeFiles(dir, {
          [`${split}/${name}/${String(i).padStart(3, '0')}.png`]: await image.png().toBuffer(),
        });
      }
    }
  }
}
