/** How an image is resized for evaluation, as numbers for other programs that read the weights. Pure. */
import {
  channelValues,
  type ChannelValues,
  type Interpolation,
  type NormalisationOptions,
  type PreprocessingOptions,
} from './preprocessing.js';

/** The paper's view resizes the shorter side to this (224 from 256, as in torchvision 0.14) and keeps the centre. */
function shorterSide(imageSize: number): number {
  // Multiples of 1/7 have no ties, so every way of rounding agrees with Python's.
  return Math.round((imageSize * 256) / 224);
}

/** How an image becomes S x S pixels. */
export interface ResizedView {
  /** `shorter-side`: the aspect is kept; `both-sides`: the image is squashed. */
  readonly resize: 'shorter-side' | 'both-sides';
  readonly resizeTo: number;
  /** Side of the centred square that is kept; black is added where the resized image is smaller. */
  readonly centerCrop: number;
  readonly interpolation: Interpolation;
}

export interface EvaluationView extends ResizedView {
  /** For each channel, of values in [0, 1]. */
  readonly mean: ChannelValues;
  readonly std: ChannelValues;
}

type ViewOptions = Omit<PreprocessingOptions, 'mean' | 'std'>;

function resizedSide(squash: boolean, cropFraction: number | null, imageSize: number): number {
  // timm, `transforms_imagenet_eval`.
  if (cropFraction !== null) return Math.floor(imageSize / cropFraction);
  return squash ? imageSize : shorterSide(imageSize);
}

export function resizedView(options: ViewOptions, imageSize: number): ResizedView {
  const { transform, cropMode, cropFraction, interpolation } = options;
  const squash = (cropMode ?? (transform === 'paper' ? 'center' : 'squash')) === 'squash';
  return {
    resize: squash ? 'both-sides' : 'shorter-side',
    resizeTo: resizedSide(squash, cropFraction, imageSize),
    centerCrop: imageSize,
    interpolation,
  };
}

/** The mean and standard deviation of a run. Texts without meaning are refused by the checks of a configuration. */
export function normalisation({ transform, mean, std }: NormalisationOptions): {
  readonly mean: ChannelValues;
  readonly std: ChannelValues;
} {
  const own = transform === 'paper' ? ([0.5, 0.5] as const) : ([0, 1] as const);
  return {
    mean: channelValues(mean ?? String(own[0])) ?? [NaN, NaN, NaN],
    std: channelValues(std ?? String(own[1])) ?? [NaN, NaN, NaN],
  };
}

export function evaluationView(options: PreprocessingOptions, imageSize: number): EvaluationView {
  const { mean, std } = normalisation(options);
  return { ...resizedView(options, imageSize), mean, std };
}
