/** Draws the demo's data set: labelled JPEG files in ImageFolder layout, the same for the same seed. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { coded, reasonOf } from '../errors/errors.js';
import { addGrain, drawScene, SCENE_SIDE, sceneRandom, SHAPES } from './drawn-scene.js';

/** Of 255. */
const GRAIN_AMPLITUDE = 7;
const JPEG_QUALITY = 92;
const DRAWINGS_AT_ONCE = 8;

export interface DrawnDatasetOptions {
  readonly seed: number;
  /** Images of each class. */
  readonly trainPerClass: number;
  readonly testPerClass: number;
  readonly onProgress?: (done: number, total: number) => void;
}

interface Picture {
  readonly path: string;
  readonly shape: string;
  readonly classIndex: number;
  readonly isTest: boolean;
  readonly index: number;
}

/** Every picture of the set, its path relative to the data folder. */
function pictures({ trainPerClass, testPerClass }: DrawnDatasetOptions): Picture[] {
  const list: Picture[] = [];
  for (const [classIndex, shape] of Object.keys(SHAPES).entries()) {
    for (const isTest of [false, true]) {
      for (let index = 0; index < (isTest ? testPerClass : trainPerClass); index++) {
        const name = `${String(index).padStart(4, '0')}.jpg`;
        list.push({ path: join(isTest ? 'test' : 'train', shape, name), shape, classIndex, isTest, index });
      }
    }
  }
  return list;
}

async function draw(dir: string, seed: number, picture: Picture): Promise<void> {
  const random = sceneRandom(seed, picture.classIndex, picture.isTest, picture.index);
  const svg = Buffer.from(drawScene(picture.shape, random));
  const pixels = await sharp(svg).removeAlpha().raw().toBuffer();
  addGrain(pixels, GRAIN_AMPLITUDE, random);
  await sharp(pixels, { raw: { width: SCENE_SIDE, height: SCENE_SIDE, channels: 3 } })
    .jpeg({ quality: JPEG_QUALITY })
    .toFile(join(dir, picture.path));
}

async function drawAll(dir: string, options: DrawnDatasetOptions): Promise<number> {
  const list = pictures(options);
  for (const folder of new Set(list.map(({ path }) => dirname(path)))) {
    await mkdir(join(dir, folder), { recursive: true });
  }
  let next = 0;
  let done = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    try {
      while (!failed && next < list.length) {
        await draw(dir, options.seed, list[next++]!);
        options.onProgress?.(++done, list.length);
      }
    } catch (thrown) {
      failed = true;
      throw thrown;
    }
  };
  // All lanes have ended before the folder is renamed or removed.
  const ends = await Promise.allSettled(Array.from({ length: DRAWINGS_AT_ONCE }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return list.length;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Draws the data set into the new folder `dir`: completely, or `dir` does not come to exist.
 * @returns number of images
 * @throws DATA_WRITE_FAILED, also if `dir` exists
 */
export async function drawDataset(dir: string, options: DrawnDatasetOptions): Promise<number> {
  if (await exists(dir)) throw coded('DATA_WRITE_FAILED', { path: dir, reason: 'it exists already' });
  const unfinished = `${dir}.${process.pid}.tmp`;
  try {
    const images = await drawAll(unfinished, options);
    await rename(unfinished, dir);
    return images;
  } catch (thrown) {
    await rm(unfinished, { recursive: true, force: true });
    throw coded('DATA_WRITE_FAILED', { path: dir, reason: reasonOf(thrown) });
  }
}
