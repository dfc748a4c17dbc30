/** How an image is resized for evaluation, as numbers for other programs that read the weights. Pure. */

/** The paper's view resizes the shorter side to this (224 from 256, as in torchvision 0.14) and keeps the centre. */
export function shorterSide(imageSize: number): number {
  // Multiples of 1/7 have no ties, so every way of rounding agrees with Python's.
  return Math.round((imageSize * 256) / 224);
}

export interface EvaluationView {
  /** `shorter-side`: the aspect is kept; `both-sides`: the image is squashed. */
  readonly resize: 'shorter-side' | 'both-sides';
  readonly resizeTo: number;
  /** Side of the centred square that is kept. */
  readonly centerCrop: number;
  /** For each channel, of values in [0, 1]. */
  readonly mean: number;
  readonly std: number;
}

export function evaluationView(transform: 'paper' | 'tutorial', imageSize: number): EvaluationView {
  return transform === 'paper'
    ? {
        resize: 'shorter-side',
        resizeTo: shorterSide(imageSize),
        centerCrop: imageSize,
        mean: 0.5,
        std: 0.5,
      }
    : { resize: 'both-sides', resizeTo: imageSize, centerCrop: imageSize, mean: 0, std: 1 };
}
