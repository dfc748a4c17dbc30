/**
 * Draws the demo's pictures as SVG: one shape with random position, size, rotation and colours on a random
 * background.
 */
import { KeyedRandom, PURPOSE } from '../numbers/random/keyed-random.js';

/** Side of a picture, in pixels. */
export const SCENE_SIDE = 32;

/** The classes and their outlines, in a square from -1 to 1; y points down. */
export const SHAPES: Readonly<Record<string, string>> = {
  circle: '<circle r="0.95"/>',
  cross: '<path d="M-0.3,-1 H0.3 V-0.3 H1 V0.3 H0.3 V1 H-0.3 V0.3 H-1 V-0.3 H-0.3 Z"/>',
  heart:
    '<path d="M0,0.95 C-1.5,-0.1 -0.95,-0.95 -0.5,-0.9 C-0.2,-0.88 0,-0.6 0,-0.45 C0,-0.6 0.2,-0.88 0.5,-0.9 C0.95,-0.95 1.5,-0.1 0,0.95 Z"/>',
  moon: '<path d="M0.45,-0.9 A1,1 0 1 0 0.45,0.9 A0.78,0.78 0 1 1 0.45,-0.9 Z"/>',
  ring: '<path fill-rule="evenodd" d="M-1,0 A1,1 0 1 0 1,0 A1,1 0 1 0 -1,0 Z M-0.55,0 A0.55,0.55 0 1 0 0.55,0 A0.55,0.55 0 1 0 -0.55,0 Z"/>',
  square: '<path d="M-0.85,-0.85 H0.85 V0.85 H-0.85 Z"/>',
  star: '<path d="M0,-1 L0.235,-0.324 L0.951,-0.309 L0.38,0.124 L0.588,0.809 L0,0.4 L-0.588,0.809 L-0.38,0.124 L-0.951,-0.309 L-0.235,-0.324 Z"/>',
  triangle: '<path d="M0,-0.95 L0.95,0.75 L-0.95,0.75 Z"/>',
};

function between(random: KeyedRandom, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

function colour(random: KeyedRandom, lightness: number): string {
  const hue = random.below(360);
  const saturation = 25 + random.below(65);
  return `hsl(${hue},${saturation}%,${lightness.toFixed(0)}%)`;
}

/** Two blurred spots that belong to no class. */
function blots(random: KeyedRandom, lightness: number): string {
  return Array.from({ length: 2 }, () => {
    const x = between(random, 0, SCENE_SIDE).toFixed(1);
    const y = between(random, 0, SCENE_SIDE).toFixed(1);
    const rx = between(random, 3, 9).toFixed(1);
    const ry = between(random, 3, 9).toFixed(1);
    const fill = colour(random, lightness);
    return `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${fill}" opacity="0.3"/>`;
  }).join('');
}

/**
 * The SVG text of a picture of `shape`; a pure function of the stream of random numbers. Dark on light and
 * light on dark are equally likely, so that no single pixel reveals the class.
 */
export function drawScene(shape: string, random: KeyedRandom): string {
  const outline = Object.hasOwn(SHAPES, shape) ? SHAPES[shape] : undefined;
  if (outline === undefined) throw new Error(`no shape is called ${shape}`);
  const darkOnLight = random.uniform() < 0.5;
  const ground = darkOnLight ? between(random, 66, 90) : between(random, 12, 34);
  const figure = darkOnLight ? between(random, 12, 40) : between(random, 60, 88);
  const from = colour(random, ground);
  const to = colour(random, ground + between(random, -8, 8));
  const turn = between(random, 0, 360).toFixed(0);
  const spots = blots(random, ground + between(random, -14, 14));
  const radius = between(random, 10.5, 13.5);
  const free = 1.5;
  const x = (SCENE_SIDE / 2 + between(random, -free, free)).toFixed(2);
  const y = (SCENE_SIDE / 2 + between(random, -free, free)).toFixed(2);
  const tilt = between(random, -12, 12).toFixed(1);
  const side = SCENE_SIDE;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">
<defs><linearGradient id="g" gradientTransform="rotate(${turn} 0.5 0.5)">
<stop offset="0" stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient></defs>
<rect width="${side}" height="${side}" fill="url(#g)"/>${spots}
<g transform="translate(${x} ${y}) rotate(${tilt}) scale(${radius.toFixed(2)})" fill="${colour(random, figure)}">${outline}</g>
</svg>`;
}

/** Adds the same small random number to the three channels of each pixel: shape [n, 3], changed in place. */
export function addGrain(
  pixels: Uint8Array | Uint8ClampedArray,
  amplitude: number,
  random: KeyedRandom,
): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const grain = random.below(2 * amplitude + 1) - amplitude;
    for (let c = i; c < i + 3; c++) pixels[c] = Math.max(0, Math.min(255, pixels[c]! + grain));
  }
}

/** The random stream of picture number `index` of a class and split. */
export function sceneRandom(seed: number, classIndex: number, isTest: boolean, index: number): KeyedRandom {
  return new KeyedRandom(seed, PURPOSE.demo, classIndex * 2 + (isTest ? 1 : 0), index);
}
