/**
 * Opens exported folders with transformers.js, and compares the probabilities that it gives to images with ours:
 * node dist/bench/interop/transformers-js.js MODULES KEPT IMAGE...
 * MODULES is a folder in which @huggingface/transformers is installed; KEPT is what check-exports.py --keep left.
 * Every image is compared twice: as a file of the size that the model's processor scales to, so that nothing is scaled, and as
 * it is. transformers.js scales without antialiasing, so only the first has to agree.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openTrainedModel } from '../../src/api/open-trained-model.js';
import { predict } from '../../src/api/predict.js';
import type { TrainedModel } from '../../src/api/trained-model.js';

interface Score {
  readonly label: string;
  readonly score: number;
}

interface RawImage {
  resize(width: number, height: number): Promise<RawImage>;
  save(path: string): Promise<void>;
}

/** What is used of transformers.js, which is no dependency of vitrail. */
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string; readonly version: string };
  readonly RawImage: { read(path: string): Promise<RawImage> };
  pipeline(
    task: 'image-classification',
    model: string,
    options: { dtype: 'fp32' },
  ): Promise<(image: string, options: { top_k: number }) => Promise<readonly Score[]>>;
}

interface Processor {
  readonly size: { readonly shortest_edge?: number; readonly height?: number };
}

/** Of probabilities, from pixels that are the same. */
const LIMIT = 1e-5;

function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

async function ourScores(model: TrainedModel, images: readonly string[]): Promise<number[][]> {
  const all: number[][] = [];
  for await (const prediction of predict(model, images)) {
    if (prediction.kind === 'broken') throw prediction.error;
    all.push(softmax(prediction.logits));
  }
  return all;
}

function likeliest(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

const [modules = '.', kept = '.', ...images] = process.argv.slice(2);
const entry = createRequire(resolve(modules, 'package.json')).resolve('@huggingface/transformers');
const library = (await import(pathToFileURL(entry).href)) as TransformersJs;
library.env.allowRemoteModels = false;
library.env.localModelPath = resolve(kept);

/** Files of images that no processor of `folder` has to scale. */
async function scaledImages(folder: string, name: string): Promise<string[]> {
  const text = readFileSync(join(folder, 'preprocessor_config.json'), 'utf8');
  const { size } = JSON.parse(text) as Processor;
  const side = size.shortest_edge ?? size.height!;
  const paths: string[] = [];
  for (const [at, image] of images.entries()) {
    const path = join(kept, name, `scaled-${at}.png`);
    await (await (await library.RawImage.read(image)).resize(side, side)).save(path);
    paths.push(path);
  }
  return paths;
}

async function compared(folder: string, name: string) {
  const model = await openTrainedModel(folder);
  const classify = await library.pipeline('image-classification', join(name, 'hf'), { dtype: 'fp32' });
  const differences = async (paths: readonly string[]) => {
    let largest = 0;
    let agree = 0;
    for (const [at, ours] of (await ourScores(model, paths)).entries()) {
      const found = await classify(paths[at]!, { top_k: ours.length });
      const scores = new Map(found.map(({ label, score }) => [label, score]));
      const theirs = model.classes.map((label) => scores.get(label) ?? NaN);
      if (likeliest(ours) === likeliest(theirs)) agree++;
      largest = Math.max(largest, ...ours.map((score, i) => Math.abs(score - theirs[i]!)));
    }
    return { largest, agree };
  };
  try {
    return {
      same: await differences(await scaledImages(folder, name)),
      files: await differences(images),
    };
  } finally {
    model.close();
  }
}

console.log(`transformers.js ${library.env.version}\n`);
console.log('| run | without scaling | with its own scaling | labels that agree then |');
console.log('| --- | --- | --- | --- |');
for (const name of readdirSync(kept).sort()) {
  const folder = join(kept, name, 'hf');
  if (!existsSync(join(folder, 'onnx', 'model.onnx'))) continue;
  const { same, files } = await compared(folder, name);
  console.log(
    `| ${name} | ${same.largest.toExponential(1)} | ${files.largest.toExponential(1)} | ${files.agree} of ${images.length} |`,
  );
  if (!(same.largest <= LIMIT)) process.exitCode = 1;
}
