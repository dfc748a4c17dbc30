/** The options of a run that decide what the model sees of an image, and how mean and standard deviation are written. Pure. */
import { CHANNELS } from './model-spec.js';

export type Transform = 'paper' | 'tutorial';
export type Interpolation = 'bilinear' | 'bicubic';
/** center: the shorter side is resized and the centre is kept; squash: both sides are resized. Names are timm's. */
export type CropMode = 'center' | 'squash';

/** What turns pixel values into numbers. */
export interface NormalisationOptions {
  readonly transform: Transform;
  /** A number, or one for each channel, separated by commas; null for the transform's own. */
  readonly mean: string | null;
  readonly std: string | null;
}

/** null stands for what the transform does by itself. */
export interface PreprocessingOptions extends NormalisationOptions {
  readonly interpolation: Interpolation;
  readonly cropMode: CropMode | null;
  /** timm's `crop_pct`: the model's side as a share of the side that images are resized to. */
  readonly cropFraction: number | null;
}

/** One value for each channel. */
export type ChannelValues = readonly [number, number, number];

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The values that a text stands for; null if it is neither one number nor one for each channel. */
export function channelValues(text: string): ChannelValues | null {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length !== 1 && parts.length !== CHANNELS) return null;
  if (!parts.every((part) => NUMBER.test(part) && Number.isFinite(Number(part)))) return null;
  const [red, green = red, blue = red] = parts.map(Number);
  return [red!, green!, blue!];
}

/** The one way of writing values, so that equal ones are equal texts. A text without meaning stays, for a check to refuse. */
export function canonicalChannels(text: string | null): string | null {
  const values = text === null ? null : channelValues(text);
  return values === null ? text : values.join(',');
}
